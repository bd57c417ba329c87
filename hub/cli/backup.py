"""hub backup, restore: the embedded default in one file. PostgreSQL has its own tools (docs/operations.md)."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from hub.config.settings import Settings
from hub.model.errors import HubError

_DUMP = "back it up with pg_dump, and keep the encryption key beside it."
_LOAD = (
    "put a pg_dump back with pg_restore, and give the encryption key that it had. What `hub backup` made goes "
    "into a data folder, not into PostgreSQL."
)


def _require_embedded(settings: Settings, *, instead: str) -> None:
    if settings.store.url:
        raise click.UsageError(f"This hub keeps its data in PostgreSQL: {instead}")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, target: Path) -> None:
    """Copy database, files and encryption key into the new folder TARGET, while the hub runs or not."""
    from hub.app.reach import require_existing  # noqa: PLC0415
    from hub.embedded.datafolder import open_data_folder  # noqa: PLC0415
    from hub.files.backup import copy_files  # noqa: PLC0415
    from hub.store.backup import backup_sqlite  # noqa: PLC0415

    _require_embedded(settings, instead=_DUMP)
    require_existing(settings)
    folder = open_data_folder(settings.data_folder)
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise click.UsageError(
            f"{target} exists; give a new folder, so that no older backup is lost."
        ) from None
    try:
        backup_sqlite(folder.database_path, target / folder.database_path.name)
        copy_files(folder.files_path, target / folder.files_path.name)
    except HubError:
        shutil.rmtree(target, ignore_errors=True)  # half a backup must not pass for one
        raise
    if folder.key_path.exists():
        _copy_key(folder.key_path, target / folder.key_path.name)
        about = "It holds the encryption key: keep it as safe as the hub itself."
    else:
        about = "The encryption key is in your settings and not in the backup: keep it beside."
    if settings.files.storage != "folder":
        about += " The bytes of files are in your bucket and not in the backup: back that up, too."
    click.echo(f"Backed up to {target}. {about}")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.pass_obj
def restore(settings: Settings, source: Path) -> None:
    """Put the backup in the folder SOURCE into an empty data folder."""
    from hub.embedded.datafolder import hold_lock, open_data_folder  # noqa: PLC0415
    from hub.files.backup import copy_files  # noqa: PLC0415
    from hub.store.backup import restore_sqlite  # noqa: PLC0415

    _require_embedded(settings, instead=_LOAD)
    folder = open_data_folder(settings.data_folder)
    with hold_lock(folder):
        if folder.database_path.exists():
            raise click.UsageError(
                f"{folder.path} holds a hub already; give an empty one with HUB_DATA_FOLDER."
            )
        # The database last: without its key it would be refused, and without its files they would be lost.
        if (source / folder.key_path.name).exists():
            folder.key_path.unlink(missing_ok=True)
            _copy_key(source / folder.key_path.name, folder.key_path)
        copy_files(source / folder.files_path.name, folder.files_path)
        restore_sqlite(source / folder.database_path.name, folder.database_path)
    click.echo(f"Restored into {folder.path}. Start the hub: events that were due are delivered now.")


def _copy_key(source: Path, target: Path) -> None:
    target.touch(mode=0o600, exist_ok=False)
    target.write_bytes(source.read_bytes())
