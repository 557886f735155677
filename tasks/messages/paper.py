"""The paper sender: each letter is two files in a folder, to read, print or check before a provider is used."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.domain.states import MessageState
from tasks.messages.senders import Letter, Outcome

_MARK = "paper:"


class Paper:
    """Writes `<message>.txt` and `<message>.html`; writing one again leaves the same bytes."""

    batch = 500

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reference(self, dedupe_key: str) -> str:
        """The name of the letter's files: its key as a file name, with a digest that keeps any two keys apart."""
        digest = hashlib.sha256(dedupe_key.encode()).hexdigest()[:10]
        return f"{_MARK}{re.sub(r'[^A-Za-z0-9.-]+', '_', dedupe_key).strip('.')[:120]}-{digest}"

    def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Write each letter."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return [self._write(letter) for letter in letters]

    def is_written(self, reference: str) -> bool:
        """Whether the letter with that reference is complete: its last file exists."""
        return self._file(reference, "html").is_file()

    @staticmethod
    def is_own(reference: str) -> bool:
        """Whether the reference is one of this sender's."""
        return reference.startswith(_MARK)

    def _write(self, letter: Letter) -> Outcome:
        reference = self.reference(letter.dedupe_key)
        head = (
            f"From: {letter.sender_name} <{letter.sender_email}>\nTo: {letter.recipient}\nSubject: {letter.subject}\n\n"
        )
        for suffix, content in (("txt", head + letter.text), ("html", letter.html)):
            file = self._file(reference, suffix)
            part = file.with_name(f"{file.name}.part")
            part.write_bytes(content.encode())
            part.replace(file)
        return Outcome(MessageState.SENT, reference)

    def _file(self, reference: str, suffix: str) -> Path:
        return self._folder / f"{reference.removeprefix(_MARK)}.{suffix}"
