"""Folder: an exported folder into a store, with everything that its manifest proves."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from gapless.errors import UsageError
from gapless.ports import Store
from gapless.transfer.disk import told
from gapless.transfer.formats import Format, format_named
from gapless.transfer.intake import Claim, Delivery, ImportReceipt, Intake, unclaimed
from gapless.transfer.manifest import JOURNAL, MANIFEST, Manifest, Record, load
from gapless.transfer.soundness import first_fault
from gapless.vocabulary.batch import Batch
from gapless.vocabulary.instrument import Instrument
from gapless.vocabulary.span import Span, SpanSet
from gapless.vocabulary.steps import Outcome
from gapless.vocabulary.timeframe import Base, Timeframe

_AGAIN = "Copy the folder from its source again, or export anew."


def import_folder(
    store: Store, folder: Path, *, now: int, run_id: str = "", replace: bool = False, claim: Claim = unclaimed
) -> ImportReceipt:
    """Take an exported folder of raw base bars into `store`; what it covered is covered here too.

    Every file is read and held against its digest before anything is written; a file is one transaction, and the
    same import again writes nothing. Bars that the manifest does not prove come in as provisional, where the
    store does not know better. `now` is in Unix ms. With `replace`, final bars of the store that differ become
    earlier versions.

    Raises:
        UsageError: the folder is unfinished, damaged or a view of bars; or bars differ and `replace` is not given.
        StorageError: the folder cannot be read, or the store not written.
    """
    with told(folder):
        manifest = _checked_manifest(folder)
        form = format_named(manifest.head.format)
        intake = Intake(store, now, claim, run_id)
        found = intake.conflicts(_deliveries(folder, manifest, form))
        if not replace:
            found.refuse()
        for delivery in _deliveries(folder, manifest, form):
            intake.take(delivery)
        return intake.receipt(str(folder))


def _checked_manifest(folder: Path) -> Manifest:
    if (folder / JOURNAL).exists():
        raise UsageError(
            f"The export to `{folder}` was not finished.",
            hint="Run the same `gapless export` again: it goes on.",
        )
    if not (manifest := load(folder)):
        raise UsageError(
            f"`{folder}` has no {MANIFEST}, so it is no exported folder.",
            hint="To import files of your own, name one file and its columns.",
        )
    derived = {r.timeframe for r in manifest.files.values()} - set(Base)
    if derived or not manifest.head.raw:
        what = f"bars of {', '.join(sorted(derived))}" if derived else manifest.head.title
        raise UsageError(
            f"`{folder}` holds {what}: they were made from others, and the store keeps only raw base bars.",
            hint="Export again with `-t 1m,1d`, all sessions, and without adjustment.",
        )
    return manifest


def _deliveries(folder: Path, manifest: Manifest, form: Format) -> Iterator[Delivery]:
    for path, record in sorted(manifest.files.items()):
        if path != record.part.path(form.name):
            raise UsageError(
                f"`{folder / MANIFEST}` names a file `{path}` that no export makes.", hint=_AGAIN
            )
        yield _delivery(folder, path, record, form)


def _delivery(folder: Path, path: str, record: Record, form: Format) -> Delivery:
    file = folder / path
    data = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(data).hexdigest() != record.sha256:
        what = "is not what its manifest says (SHA-256)" if data else "is missing or empty"
        raise UsageError(f"`{file}` {what}; nothing was imported.", hint=_AGAIN)
    try:
        batch = form.read(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"`{file}` cannot be read: {error}", hint=_AGAIN) from error
    instrument, base = Instrument.parse(record.symbol), Timeframe.parse(record.timeframe).base
    _check(file, batch, record, instrument)
    return Delivery(instrument, base, batch, _proofs(record, batch), path, record.sha256)


def _proofs(record: Record, batch: Batch) -> dict[Outcome, SpanSet]:
    """What the manifest says is covered; a silence with a bar in it was none."""
    spans: dict[Outcome, list[Span]] = {outcome: [] for outcome in Outcome if outcome.covers}
    for proof in record.proofs:
        span = Span(proof.start, proof.end)
        spans[Outcome.BARS if len(batch.between(span)) else proof.outcome].append(span)
    return {outcome: SpanSet(found) for outcome, found in spans.items()}


def _check(file: Path, batch: Batch, record: Record, instrument: Instrument) -> None:
    base = Timeframe.parse(record.timeframe).base
    if fault := first_fault(batch, base, instrument.asset_class):
        raise UsageError(
            f"`{file}`, row {fault.row + 1}, column `{fault.column}`: {fault.what}; nothing was imported.",
            hint=_AGAIN,
        )
    ends = (int(batch.ts[0]), int(batch.ts[-1])) if len(batch) else (None, None)
    if (len(batch), *ends) != (record.rows, record.first, record.last):
        raise UsageError(f"`{file}` has other bars than its manifest says.", hint=_AGAIN)
