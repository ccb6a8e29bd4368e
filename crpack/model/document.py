"""A document: canonical JSON with `format`, `critical` and typed fields.

Rules (SPEC JSN-07 and JSN-08):
- Every machine-written document is one object with `format`, the integer 1, and `critical`, a
  sorted list of distinct names.
- A reader ignores a field it does not know. It refuses a document whose `critical` lists a name
  that it does not know: such a field changes the meaning of the rest.
- A field that is missing, of another type or outside its range is refused with the rule of the
  document (`MAN-01`, `TOC-02`…) and the field's place, such as ``payloads[0].tree``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crpack.errors import FormatError
from crpack.model import canonical, dates
from crpack.model.limits import MAX_JSON_BYTES, MAX_JSON_INTEGER, MAX_TEXT_BYTES
from crpack.model.paths import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
_ENVELOPE = frozenset({"format", "critical"})


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a document, read field by field.

    Attributes:
        what: the document's name for messages.
        rule: the SPEC rule that its fields obey.
        value: the decoded object.
        place: where it stands in the document: empty for the whole, else ``payloads[0].``.
    """

    what: str
    rule: str
    value: dict[str, Any]
    place: str = ""

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """Return a text of at most MAX_TEXT_BYTES that matches `pattern` as a whole."""
        return self._text(name, self._get(name), pattern)

    def date(self, name: str) -> str:
        """Return a date such as `2026-01-31T12:00:00Z`."""
        text = self.text(name)
        try:
            dates.moment(text)
        except ValueError as error:
            why = "is not a date such as `2026-01-31T12:00:00Z`"
            raise self.refuse(name, why) from error
        return text

    def integer(self, name: str, low: int = 0, high: int = MAX_JSON_INTEGER) -> int:
        """Return an integer between `low` and `high`, both included."""
        value = self._get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.refuse(name, f"is not an integer from {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._get(name)
        if type(value) is not bool:
            raise self.refuse(name, "is neither true nor false")
        return value

    def texts(self, name: str, pattern: re.Pattern[str] | None = None) -> tuple[str, ...]:
        """Return a list of texts, each as `text` wants it."""
        return tuple(
            self._text(f"{name}[{index}]", value, pattern)
            for index, value in enumerate(self._list(name))
        )

    def pairs(self, name: str, pattern: re.Pattern[str]) -> tuple[tuple[str, str], ...]:
        """Return an object of texts as pairs sorted by name; each name matches `pattern`."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.refuse(name, "is not an object")
        return tuple(
            (self._text(f"{name}.{key}", key, pattern), self._text(f"{name}.{key}", item, None))
            for key, item in sorted(value.items())
        )

    def integers(self, name: str, *, most: int) -> tuple[int, ...]:
        """Return a list of integers, none below 0, at most `most` of them."""
        values = self._list(name)
        if len(values) > most:
            raise self.refuse(name, f"has more than {most} items")
        for index, value in enumerate(values):
            if type(value) is not int or value < 0:
                raise self.refuse(f"{name}[{index}]", "is not an integer from 0 on")
        return tuple(values)

    def inner(self, name: str) -> Fields:
        """Return an object that stands in this one."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise self.refuse(name, "is not an object")
        return Fields(self.what, self.rule, value, f"{self.place}{name}.")

    def each(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a list."""
        for index, value in enumerate(self._list(name)):
            place = f"{self.place}{name}[{index}]"
            if not isinstance(value, dict):
                raise self.refuse(f"{name}[{index}]", "is not an object")
            yield Fields(self.what, self.rule, value, f"{place}.")

    def has(self, name: str) -> bool:
        """Tell whether an optional field is there."""
        return name in self.value

    def refuse(self, name: str, why: str, *, rule: str = "") -> FormatError:
        """Return the error that says why the field `name` is refused."""
        return FormatError(f"{self.what}: `{self.place}{name}` {why}", rule=rule or self.rule)

    def _get(self, name: str) -> Any:
        try:
            return self.value[name]
        except KeyError:
            raise self.refuse(name, "is missing") from None

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self.refuse(name, "is not a list")
        return value

    def _text(self, name: str, value: object, pattern: re.Pattern[str] | None) -> str:
        if not isinstance(value, str):
            raise self.refuse(name, "is not a text")
        if len(value) > MAX_TEXT_BYTES or len(value.encode()) > MAX_TEXT_BYTES:
            raise self.refuse(name, f"is longer than {MAX_TEXT_BYTES} bytes")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.refuse(name, f"is not well formed: `{shown(value)}`")
        return value


def decode(
    data: bytes, *, what: str, rule: str, known: frozenset[str], limit: int = MAX_JSON_BYTES
) -> Fields:
    """Open a document (SPEC JSN-05, JSN-07, JSN-08).

    Args:
        data: all its bytes.
        what: its name for messages.
        rule: the SPEC rule that its fields obey.
        known: every field name this reader knows, wherever in the document it stands.
        limit: refuse more bytes than this.

    Raises:
        FormatError: not canonical JSON, not an object of this format, or critical and unknown.
    """
    value = canonical.decode(data, what=what, limit=limit)
    if not isinstance(value, dict):
        raise FormatError(f"{what} is not an object", rule="JSN-07")
    envelope = Fields(what, "JSN-07", value)
    if envelope.integer("format") != FORMAT:
        version = envelope.integer("format")
        hint = "install a newer crpack"
        raise FormatError(f"{what} has format {version}, not {FORMAT}", hint=hint, rule="JSN-07")
    critical = envelope.texts("critical")
    if list(critical) != sorted(set(critical)):
        raise envelope.refuse("critical", "is not sorted and distinct")
    for name in critical:
        if name not in known | _ENVELOPE:
            sentence = f"{what} needs the field `{name}`, which this crpack does not know"
            raise FormatError(sentence, hint="install a newer crpack", rule="JSN-08")
    return Fields(what, rule, value)


def encode(fields: dict[str, object]) -> bytes:
    """Return the bytes of a document with these fields, its envelope added (SPEC JSN-07).

    Raises:
        FormatError: a value has no canonical form.
    """
    return canonical.encode({"format": FORMAT, "critical": [], **fields})
