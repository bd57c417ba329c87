"""SMS through an Android phone that runs SMS Gateway for Android (capcom6/android-sms-gateway)."""
