"""Will the next backup by the clock be made? Its folder and its passphrase, before it is due."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.backup import places, secret
from hub.backup.problems import BackupError
from hub.configuration.keeping import BackupSection
from hub.diagnosis.finding import Finding
from hub.texts import render


def examine_backups(settings: BackupSection | None) -> Iterator[Finding]:
    """Nothing where no backups are wanted."""
    if settings is None:
        return
    if places.is_absent(Path(settings.folder)):
        what = f"{settings.folder} is not there, so no backup can be made"
        yield Finding("backups", "warning", what, "Put the stick in, or make the folder on it.")
    yield _passphrase(settings)


def _passphrase(settings: BackupSection) -> Finding:
    subject = "passphrase of backups"
    if settings.passphrase_file is None:
        remedy = "Set backup.passphrase_file, or keep the disk where nobody takes it."
        return Finding(subject, "warning", "none: whoever has a backup can read it", remedy)
    file = Path(settings.passphrase_file)
    try:
        secret.fit_for_a_backup(secret.from_file(file), file)
    except BackupError as error:
        what = f"backups fail: {file} has no passphrase that can be used"
        return Finding(subject, "broken", what, render(error.text, "en"))
    return Finding(subject, "ok", f"{file} is fit for new backups")
