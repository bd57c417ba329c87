"""hub backup, restore: the embedded default in one file. PostgreSQL has its own tools (docs/operations.md)."""

from __future__ import annotations

from pathlib import Path

import click

from hub.config.settings import Settings


def _require_embedded(settings: Settings) -> None:
    if settings.store.url:
        raise click.UsageError(
            "This hub keeps its data in PostgreSQL: back it up with pg_dump, and keep the encryption key beside it."
        )


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, target: Path) -> None:
    """Write a consistent copy of database and encryption key into the new folder TARGET; the hub may run."""
    from hub.embedded.datafolder import open_data_folder  # noqa: PLC0415
    from hub.store.backup import backup_sqlite  # noqa: PLC0415

    _require_embedded(settings)
    folder = open_data_folder(settings.data_folder)
    if not folder.database_path.exists():
        raise click.UsageError(f"There is no database in {folder.path} yet.")
    try:
        target.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise click.UsageError(
            f"{target} exists; give a new folder, so that no older backup is lost."
        ) from None
    backup_sqlite(folder.database_path, target / folder.database_path.name)
    if folder.key_path.exists():
        (target / folder.key_path.name).touch(mode=0o600)
        (target / folder.key_path.name).write_bytes(folder.key_path.read_bytes())
    click.echo(f"Backed up to {target}. It holds the encryption key: keep it as safe as the hub itself.")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.pass_obj
def restore(settings: Settings, source: Path) -> None:
    """Put a backup from the folder SOURCE into an empty data folder; the hub must be stopped."""
    from hub.embedded.datafolder import hold_lock, open_data_folder  # noqa: PLC0415
    from hub.store.backup import restore_sqlite  # noqa: PLC0415

    _require_embedded(settings)
    folder = open_data_folder(settings.data_folder)
    with hold_lock(folder):
        if folder.database_path.exists():
            raise click.UsageError(
                f"{folder.path} holds a hub already; give an empty one with HUB_DATA_FOLDER."
            )
        restore_sqlite(source / folder.database_path.name, folder.database_path)
        key = source / folder.key_path.name
        if key.exists():
            folder.key_path.unlink(missing_ok=True)
            folder.key_path.touch(mode=0o600)
            folder.key_path.write_bytes(key.read_bytes())
    click.echo(f"Restored into {folder.path}. Start the hub: events that were due are delivered now.")
