"""
Lists of cases and tasks: what each offers to filter, sort and add, and one reading of its address for desk, page and spreadsheet.

    LIST = lists.register(CaseList(code="dispatch", title="批转", url="dispatching:desk", rows=…))

    shown = lists.opened(request, LIST, at)          # in the desk's view
    page = shown.page()                              # narrowed, sorted, one keyset page

The whole of it stands in the address, so that links, Back and exports mean the same. What persons keep for themselves (views,
columns) is the console's; it tells this room through `preferences`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from minsheng.cases import columns as cols
from minsheng.cases import filters as flt
from minsheng.cases import queries
from minsheng.cases.columns import Column, Line
from minsheng.cases.filters import Filters
from minsheng.ui import looks
from minsheng.ui.pages import PAGE_SIZE, KeysetPage, keyset_page
from minsheng.ui.rows import Cell, Row

if TYPE_CHECKING:
    from minsheng.accounts.models import User
    from minsheng.cases.models import Case, Task

NOT_KEPT = ("day", "q", "kept")  # own parameters that no view keeps: a day, which passes; words, which may name somebody
VIEW = "view"  # which saved view an address came from; "0": none, not even one's own first
Order = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sort:
    """One way to sort: a column of the list's model, or the path to one of its case (`case__received_at`). Each goes both ways,
    ties by id; rows without a value come last."""

    label: str
    column: str


RECEIVED = Sort("收件时间", "received_at")
CITIZEN_DUE = Sort("群众时限", "citizen_due_at")
STAGE_DUE = Sort("本环节时限", "stage_due_at")
PRESSING_DUE = Sort("最紧的时限", "pressing_due_at")  # of all that runs for a case: what rows show
PRESSING = ("剩余时间", "pressing")  # what stands on the right of such rows
WAITED = Sort("等待时间", "state_since")
# Every list offers all of these but those in which its rows cannot differ: a queue of one state has no state to choose.
CASE_FIELDS = ("state", "kind", "urgency", "light", "channel", "topic", "place", "unit", "received", "due")
QUEUE_FIELDS = tuple(name for name in CASE_FIELDS if name != "state")
ENDED_FIELDS = (*(name for name in CASE_FIELDS if name not in ("light", "due")), "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseList:
    """
    One list. `rows(user, params, at)` answers what it holds before any filter, with its own order, for the desk's parameters
    `own` (tab, day …); it starts from what the user may see, and refuses who may not open the desk.

    `to_case`: how its model leads to the case ("" where it is the case itself); `to_task`, to the task that is listed. `clock`:
    of cases what `filters.on_cases` says; of asks ("ask", "asking") what `filters.on_asks` says.

    What is searched: `complete` finds what the rows need beside the address (`withheld`: no address may hold it; an export keeps it
    encrypted), `told` says it in words fit for records. Views then narrow what is searched (`carried`: it stays in their links),
    and none opens by itself.
    """

    code: str
    title: str
    url: str
    rows: Callable[[User, QueryDict, datetime], tuple[QuerySet[Any], Order]]
    fields: tuple[str, ...] = CASE_FIELDS
    sorts: Mapping[str, Sort] = field(default_factory=lambda: {"received": RECEIVED})
    own: tuple[str, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()  # with what its desk shows this list and not another of its own
    only: Mapping[str, Collection[str]] = field(default_factory=dict)  # of a field's choices those that its rows can have
    to_case: str = ""
    to_task: str | None = None
    clock: str = "row"
    with_tasks: bool = False  # rows name the lead: they come with `current_tasks`
    # People of one answer get the same rows, drawn once for all who look again at the same time; "" and None: each their own.
    alike: Callable[[User], str] | None = None
    own_sort: str = "最紧急的在前"
    once: bool = False  # the unit of a case is also one that gave it back
    # What stands in the rows' place for the unit and on their right: its heading, and the sort that goes by it.
    unit: tuple[str, str] = ("单位", "")
    left: tuple[str, str] = ("剩余时间", "due")
    carried: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    complete: Callable[[HttpRequest], QueryDict] | None = None
    told: Callable[[QueryDict], str] | None = None


_lists: dict[str, CaseList] = {}


def register(spec: CaseList) -> CaseList:
    """Make a list known to views and exports; a second one of its code is a mistake."""
    if spec.code in _lists:
        raise ValueError(f"list {spec.code!r} is registered already")
    _lists[spec.code] = spec
    return spec


def by_code(code: str) -> CaseList | None:
    """The list of this code."""
    return _lists.get(code)


def all_lists() -> list[CaseList]:
    """Every list, in the order registered."""
    return list(_lists.values())


# --- what a person keeps for a list (minsheng.console tells) ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as the menu offers it."""

    key: int
    name: str
    url: str
    current: bool
    shared: bool = False
    changed: bool = False  # the address has been narrowed otherwise since


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved view: the parameters and columns it stands for; `shared` by somebody else."""

    key: int
    name: str
    query: str
    columns: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Preferences:
    """Columns added to a list, the saved views offered, and which of them opens first."""

    columns: tuple[str, ...] = ()
    views: tuple[Kept, ...] = ()
    first: int | None = None

    def view(self, key: str) -> Kept | None:
        """The view that an address names."""
        return next((view for view in self.views if str(view.key) == key), None)


preferences: list[Callable[[User, str], Preferences]] = []


def _preferences(user: User, code: str) -> Preferences:
    return preferences[0](user, code) if preferences else Preferences()


# --- one list as asked for -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One list, for one person, as one address asks for it."""

    spec: CaseList
    user: User
    params: QueryDict
    at: datetime
    filters: Filters
    sort: str = ""
    columns: list[Column] = field(default_factory=list)
    kept: Preferences = field(default_factory=Preferences)
    problems: tuple[str, ...] = ()

    # --- rows ------------------------------------------------------------------------------------------------------

    def rows(self) -> tuple[QuerySet[Any], Order]:
        """What the list holds, narrowed, and its order. Errors: what the desk refuses."""
        found, order = self.spec.rows(self.user, self.params, self.at)
        found, order = found.filter(self.condition()), self.order(order)
        first = order[0].lstrip("-")
        if "__" in first:  # a page's cursor is made of the row's own attributes
            found, order = found.annotate(sorted_by=F(first)), (order[0].replace(first, "sorted_by"), *order[1:])
        needed = cols.loads(self.columns, self.spec.to_case)
        if needed:
            found = found.select_related(*needed)
        if self.spec.with_tasks or (not self.spec.to_case and any(column.tasks for column in self.columns)):
            found = found.prefetch_related(queries.current_tasks())
        return found, order

    def page(self, cursor: str | None = None, size: int = PAGE_SIZE) -> KeysetPage:
        """One page of it; `cursor` as the address has it unless given."""
        found, order = self.rows()
        return keyset_page(found, order, self.params.get("page", "") if cursor is None else cursor, size)

    def drawn(self, show: Callable[[Any], Row]) -> Any:
        """The page with each row as `show` puts it. Read only where it is asked for: not by a look at something else, nor
        where the same rows were drawn a moment ago (`shared`)."""
        return SimpleLazyObject(lambda: self.page().map(show))

    def shared(self, request: HttpRequest) -> str:
        """The name under which what this look is answered may be shared (ui.looks), "" where it may not: its rows (`shared` of the
        context), or all that the page holds where nothing of it is one person's own (`whole`)."""
        after = looks.after(request)
        if not after or self.spec.alike is None or looks.part_of(request) != "list":
            return ""
        like = self.spec.alike(self.user)
        if not like:
            return ""
        return looks.key_of((self.spec.code, request.get_full_path(), self.query(), after, like, self.column_codes))

    def condition(self) -> Q:
        """The filters, on the list's model."""
        spec, offered = self.spec, self.filters.on_offered()
        if spec.clock in ("ask", "asking"):
            return self.filters.on_asks(spec.clock) & offered
        if spec.to_task is not None:
            return self.filters.on_tasks(spec.to_task) & offered
        return self.filters.on_cases(spec.to_case, clock=spec.clock, once=spec.once) & offered

    def order(self, own: Order) -> Order:
        """The columns that it is sorted by: as asked for, else the list's own."""
        if not self.sort:
            return own
        down = "-" if self.sort.startswith("-") else ""
        return (down + self.spec.sorts[self.sort.lstrip("-")].column, f"{down}id")

    def line(self, row: Any) -> Line:
        """A row of the list's model as columns look at it."""
        task = None if self.spec.to_task is None else _reached(row, self.spec.to_task)
        return Line(user=self.user, at=self.at, case=_reached(row, self.spec.to_case), task=task)

    def with_cells(self, row: Row, case: Case, task: Task | None = None) -> Row:
        """A row with the columns that the person has added."""
        if not self.columns:
            return row
        line = Line(user=self.user, at=self.at, case=case, task=task)
        return replace(row, cells=tuple(Cell(column.label, cols.shown(column, line)) for column in self.columns))

    @property
    def column_codes(self) -> str:
        """The columns added, as a page that looks again says them."""
        return ",".join(column.code for column in self.columns)

    # --- addresses -------------------------------------------------------------------------------------------------

    @property
    def elsewhere(self) -> str:
        """Where to go instead: an address that asks for nothing opens the person's own first view. "": stay."""
        bare = not self.asked() and VIEW not in self.params and not self.params.get("page") and not self.spec.carried
        first = self.kept.view(str(self.kept.first)) if bare and self.kept.first else None
        if first is None or not set(self.own()) <= set(parse_qsl(first.query)):  # a view of another of the desk's tabs
            return ""
        opened = [("open", self.params["open"])] if self.params.get("open") else []
        return self.url(_joined(urlencode([(VIEW, str(first.key)), *opened]), first.query))

    def own(self) -> list[tuple[str, str]]:
        """The desk's own parameters, as they are."""
        return [*self.spec.fixed, *((name, str(self.params[name])) for name in self.spec.own if self.params.get(name))]

    def asked(self) -> list[tuple[str, str]]:
        """Filters and sort: what a saved view keeps."""
        return [*self.filters.params(), *([("sort", self.sort)] if self.sort else [])]

    def url(self, query: str | Iterable[tuple[str, str]] = "") -> str:
        """This list with these parameters."""
        text = query if isinstance(query, str) else urlencode(list(query))
        return reverse(self.spec.url) + (f"?{text}" if text else "")

    def query(self) -> str:
        """The parameters that make the same list again: the desk's own, filters and sort."""
        return urlencode([*self.own(), *self.asked()])

    def whole_query(self) -> str:
        """The same with what no address may hold: what an export keeps, encrypted."""
        withheld = [(name, str(self.params[name])) for name in self.spec.withheld if self.params.get(name)]
        return urlencode([*self.own(), *withheld, *self.asked()])

    def in_words(self) -> str:
        """What is listed, in words fit for a record: “按 2 个词查找；类型：投诉”."""
        told = self.spec.told(self.params) if self.spec.told else ""
        return "；".join(filter(None, (told, *(f"{chip.label}：{chip.text}" for chip in self.filters.chips()))))

    def kept_query(self) -> str:
        """What a saved view keeps."""
        own = [(name, value) for name, value in self.own() if name not in NOT_KEPT]
        return urlencode([*own, *self.asked()])

    # --- for the bar (console/_list_bar.html) ------------------------------------------------------------------------

    @property
    def code(self) -> str:
        """The list's code."""
        return self.spec.code

    def chips(self) -> list[flt.Chip]:
        """Active filters, each with the address that is left without it."""
        also = [*self.own(), (VIEW, self.params.get(VIEW) or "0"), *([("sort", self.sort)] if self.sort else [])]
        return [replace(chip, rest=self.url(chip.rest)) for chip in self.filters.chips(also)]

    def cleared(self) -> str:
        """The list with no filter."""
        sort = [("sort", self.sort)] if self.sort else []
        return self.url([*self.own(), (VIEW, "0"), *sort])

    def fields(self) -> list[Field]:
        """The panel's fields."""
        return [_field(name, self.filters, self.spec.only.get(name)) for name in self.spec.fields]

    def hidden(self) -> list[tuple[str, str]]:
        """What the panel's form keeps beside its own fields. A field of the panel that the desk uses too is the panel's."""
        view = self.params.get(VIEW) or "0"
        kept = [(name, value) for name, value in self.own() if name not in self.spec.fields]
        return [*kept, (VIEW, view), *([("sort", self.sort)] if self.sort else [])]

    def sort_links(self) -> list[Link]:
        """Every way to sort, the list's own first."""
        links = [Link(self.spec.own_sort, self.sorted_by(""), not self.sort)]
        for code, sort in self.spec.sorts.items():
            for down, words in (("", "早的在前"), ("-", "晚的在前")):
                links.append(Link(f"{sort.label}，{words}", self.sorted_by(down + code), self.sort == down + code))
        return links

    def sorted_by(self, sort: str) -> str:
        """This list, narrowed as it is, in this order; "": its own."""
        rest = [*self.own(), (VIEW, self.params.get(VIEW) or "0"), *self.filters.params()]
        return self.url([*rest, *([("sort", sort)] if sort else [])])

    def headings(self) -> dict[str, Heading]:
        """The headings of the rows' parts that a list may be sorted by or names otherwise."""
        return {"unit": self._heading(*self.spec.unit), "left": self._heading(*self.spec.left)}

    def column_headings(self) -> list[Heading]:
        """Those of the columns that the person has added."""
        by_column = {sort.column: code for code, sort in self.spec.sorts.items()}
        return [self._heading(column.label, by_column.get(self.spec.to_case + column.sort, "")) for column in self.columns]

    def _heading(self, label: str, sort: str) -> Heading:
        if sort not in self.spec.sorts:
            return Heading(label)
        now = {sort: "ascending", f"-{sort}": "descending"}.get(self.sort, "")
        return Heading(label, self.sorted_by(f"-{sort}" if now == "ascending" else sort), now)

    def sort_label(self) -> str:
        """How it is sorted now."""
        return next((link.label for link in self.sort_links() if link.current), self.spec.own_sort)

    def views(self) -> list[View]:
        """Saved views, the one in use marked."""
        key, now = self.params.get(VIEW, ""), self.kept_query()
        return [
            View(
                view.key,
                view.name,
                self.view_url(view.key, view.query),
                str(view.key) == key,
                view.shared,
                str(view.key) == key and view.query != now,
            )
            for view in self.kept.views
        ]

    def view_url(self, key: int, query: str) -> str:
        """The list by a saved view; of what is searched, the same search."""
        carried = [(name, value) for name, value in self.own() if name in self.spec.carried]
        return self.url(_joined(urlencode([*carried, (VIEW, str(key))]), query))

    def view_in_use(self) -> View | None:
        """The saved view that this address came from."""
        return next((view for view in self.views() if view.current), None)

    def column_choices(self) -> list[tuple[str, str, bool]]:
        """Columns that may be added: code, label, whether it is."""
        added = {column.code for column in self.columns}
        return [(column.code, column.label, column.code in added) for column in cols.offered(self.user)]


@dataclass(frozen=True, slots=True)
class Link:
    """One choice of a menu."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column; `url` sorts by it, the other way round where it is `sorted` by it (a value of aria-sort)."""

    label: str
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the filter panel, for the template: pills to tick, a tree to search, or days."""

    name: str
    label: str
    kind: str  # "choices", "tree" or "days"
    choices: tuple[tuple[str, str, bool], ...] = ()
    node: flt.Node | None = None
    first: str = ""
    last: str = ""

    @property
    def rows(self) -> str:
        """The list that a tree is searched in (cases.pickers)."""
        return f"every-{self.name}"


def _field(name: str, filters: Filters, only: Collection[str] | None = None) -> Field:
    if name in flt.CHOICES:
        label, choices = flt.CHOICES[name]
        ticked = filters.chosen.get(name, ())
        shown = [(str(v), str(words), v in ticked) for v, words in choices if only is None or v in only or v in ticked]
        return Field(name, label, "choices", tuple(shown))
    if name in flt.TREES:
        return Field(name, flt.TREES[name][0], "tree", node=filters.nodes.get(name))
    days = filters.days.get(name)
    preset = days.preset if days else ""
    presets = tuple((code, words, code == preset) for code, words in flt.PRESETS[name].items())
    first, last = ("", "") if days is None or preset else (_iso(days.first), _iso(days.last))
    return Field(name, flt.DAYS[name] + "日期", "days", presets, first=first, last=last)


def _reached(row: Any, path: str) -> Any:
    """What `path` (`task__case__`) leads to from a row."""
    for name in path.split("__"):
        row = getattr(row, name) if name else row
    return row


def _joined(*queries: str) -> str:
    return "&".join(query for query in queries if query)


def _iso(day: Any) -> str:
    return day.isoformat() if day else ""


def opened(request: HttpRequest, spec: CaseList, at: datetime) -> Shown:
    """The list as this request asks for it, for its person. Two queries of what they keep; none where a page looks again, which says
    with what columns it was drawn."""
    user: Any = request.user
    params = spec.complete(request) if spec.complete else request.GET
    columns = looks.columns(request)
    kept = _preferences(user, spec.code) if columns is None else Preferences(columns=columns)
    return asked_for(user, spec, params, at, kept)


def asked_for(user: User, spec: CaseList, params: QueryDict, at: datetime, kept: Preferences | None = None) -> Shown:
    """The list by its parameters: a request's, or those kept with a view or an export."""
    kept = kept or Preferences()
    filters = flt.read(params, at=at, fields=spec.fields)
    sort, problems = params.get("sort", ""), filters.problems
    if sort and sort.removeprefix("-") not in spec.sorts:
        sort, problems = "", (*problems, "这种排序这里没有，现在按平常的顺序。")
    view = kept.view(params.get(VIEW, ""))
    columns = cols.known(view.columns if view else kept.columns, user)
    return Shown(spec, user, params, at, filters, sort, columns, kept, problems)
