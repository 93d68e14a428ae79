"""The Google Ads Query Language: text in, a checked query out.

`SELECT fields FROM resource [WHERE condition [AND …]] [ORDER BY field [DESC], …] [LIMIT n]
[PARAMETERS …]`. Whether a field exists is decided in `google_fields.py`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from providers.sandbox.google_errors import GoogleError, query_error

Value = str | tuple[str, ...]

MAX_VALUES = 20_000  # of one IN list; beyond it Google answers FILTER_HAS_TOO_MANY_VALUES

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<operator><=|>=|!=|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[A-Za-z0-9_.+:~/-]+)
    )""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset({"FROM", "WHERE", "ORDER", "LIMIT", "PARAMETERS", "AND"})


class Condition(NamedTuple):
    """`field operator value`; the value of IN and NOT IN is a tuple, that of IS NULL is ""."""

    field: str
    operator: str
    value: Value


class Order(NamedTuple):
    """One field of ORDER BY."""

    field: str
    descending: bool


@dataclass(frozen=True)
class Query:
    """A parsed query; names as they were written."""

    fields: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None


@lru_cache(maxsize=256)  # a client has a handful of queries
def parse(text: str) -> Query:
    """Read a query; raises Google's queryError for what it can't read."""
    return _Parser(_tokens(text)).query()


class _Token(NamedTuple):
    kind: str
    text: str


_END = _Token("end", "")


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.rstrip().removesuffix(";").rstrip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise query_error("BAD_SYMBOL", f"unexpected symbol at character {at}.")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match[kind]))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent, one method per clause."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        if not self._keyword("SELECT"):
            raise query_error("EXPECTED_SELECT", "a query must begin with SELECT.")
        fields = self._names()
        if not self._keyword("FROM"):
            raise query_error("EXPECTED_FROM", "a query must name a resource with FROM.")
        resource = self._name()
        conditions = self._conditions() if self._keyword("WHERE") else ()
        order = self._order() if self._keyword("ORDER") else ()
        limit = self._limit() if self._keyword("LIMIT") else None
        if self._keyword("PARAMETERS"):
            self._at = len(self._tokens)  # such as include_drafts=true: nothing here depends on them
        if self._peek() != _END:
            raise query_error("UNEXPECTED_INPUT", f"unexpected input {self._peek().text}.")
        return Query(fields, resource, conditions, order, limit)

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _keyword(self, word: str) -> bool:
        """Step over a keyword, if it is next. Keywords know no case."""
        token = self._peek()
        found = token.kind == "word" and token.text.upper() == word
        self._at += found
        return found

    def _mark(self, mark: str) -> bool:
        found = self._peek() == _Token("mark", mark)
        self._at += found
        return found

    def _name(self) -> str:
        token = self._next()
        if token.kind != "word" or token.text.upper() in _KEYWORDS:
            raise query_error("BAD_FIELD_NAME", f"expected a field name, found '{token.text}'.")
        return token.text

    def _names(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._mark(","):
            names.append(self._name())
        return tuple(names)

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._keyword("AND"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        field, token = self._name(), self._next()
        if token.kind == "operator" and token.text in _COMPARISONS:
            return Condition(field, token.text, self._value())
        return self._worded_condition(field, token.text)

    def _worded_condition(self, field: str, word: str) -> Condition:
        match word.upper():
            case "IN":
                return Condition(field, "IN", self._list())
            case "NOT" if self._keyword("IN"):
                return Condition(field, "NOT IN", self._list())
            case "LIKE":
                return Condition(field, "LIKE", self._value())
            case "BETWEEN":
                low = self._value()
                if not self._keyword("AND"):
                    raise query_error("EXPECTED_VALUE_WITH_BETWEEN_OPERATOR", "BETWEEN needs two values.")
                return Condition(field, "BETWEEN", (low, self._value()))
            case "IS":
                operator = "IS NOT NULL" if self._keyword("NOT") else "IS NULL"
                if self._keyword("NULL"):
                    return Condition(field, operator, "")
        raise query_error("BAD_OPERATOR", f"'{word}' is no operator.")

    def _value(self) -> str:
        token = self._next()
        if token.kind == "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind != "word":
            raise query_error("EXPECTED_SINGLE_VALUE", f"expected a value, found '{token.text}'.")
        return token.text

    def _list(self) -> tuple[str, ...]:
        if not self._mark("("):
            raise query_error("EXPECTED_LIST", "IN needs a list in parentheses.")
        values = [self._value()]
        while self._mark(","):
            values.append(self._value())
        if not self._mark(")"):
            raise query_error("EXPECTED_LIST", "a list ends with a parenthesis.")
        if len(values) > MAX_VALUES:
            raise GoogleError(400, "query", "FILTER_HAS_TOO_MANY_VALUES", "A filter has too many values.")
        return tuple(values)

    def _order(self) -> tuple[Order, ...]:
        if not self._keyword("BY"):
            raise query_error("EXPECTED_BY", "ORDER must be followed by BY.")
        order = [self._ordering()]
        while self._mark(","):
            order.append(self._ordering())
        return tuple(order)

    def _ordering(self) -> Order:
        field = self._name()
        descending = self._keyword("DESC")
        if not descending:
            self._keyword("ASC")
        return Order(field, descending)

    def _limit(self) -> int:
        token = self._next()
        if not token.text.isdigit() or not int(token.text):
            raise query_error("BAD_LIMIT_COUNT", "LIMIT needs a positive number.")
        return int(token.text)
