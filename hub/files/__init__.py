"""Where the bytes of files are kept: the data folder, or a bucket of any S3-compatible store."""
