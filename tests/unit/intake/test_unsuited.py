"""What words suggest to be no matter for a unit, and what they never do; with the table that comes with the service."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from dispatch.city.dangers import Danger, Dangers
from dispatch.city.emergencies import Emergencies, Emergency
from dispatch.city.endings import Signs
from dispatch.city.model import City
from dispatch.domain.reports import Report, UnsuitedView
from dispatch.intake.candidates import Candidate, Prepared
from dispatch.intake.commit import Held
from dispatch.intake.match import NOTHING, Match
from dispatch.intake.prepare import prepare
from dispatch.intake.unsuited import explained, unsuited
from dispatch.intake.words import packed
from dispatch.people.principal import Principal
from tests.harness.town import CONNECTOR, KEYRING, REPLAYER, START, report

# Both from the issue.
NEIGHBOURS, TRIFLE = "要求政府干预邻里纠纷", "投诉超市价格高0.1元"
ME = {"name": "甲", "phone": "13800000001"}


def _prepared(city: City, by: Principal = CONNECTOR, **fields: Any) -> Prepared:
    made = msgspec.convert(report(**({"category": None, "location": None} | fields)), Report)
    item = prepare(made, city=city, keyring=KEYRING, by=by, wall=START)
    assert not isinstance(item, Held)
    return item


def _suggested(city: City, by: Principal = CONNECTOR, **fields: Any) -> list[UnsuitedView]:
    return unsuited(_prepared(city, by, **fields), NOTHING, city)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NEIGHBOURS, "mediation"),
        (TRIFLE, "trivial"),
        ("楼下便利店的可乐比对面贵了五毛钱，请严肃处理", "trivial"),
        ("小卖部一包盐多收我两毛，差价必须退", "trivial"),
        ("婆媳天天争吵，请政府来评理", "mediation"),
        ("邻居借了我两千块，现在不认账", "mediation"),
        ("丈夫不同意，我要求离婚，请帮忙", "court"),
        ("兄弟几个为遗产分配闹翻了，要求主持公道", "court"),
        ("朋友借钱不还，写有借据", "court"),
        ("我的案子法院判决不公，要求改判", "litigation"),
        ("已经起诉到区法院了，请你们催一催", "litigation"),
        ("我的信访事项还在办，想问结果", "petition"),
        ("对处罚不服，申请行政复议", "review"),
        ("我要申请信息公开，调取会议纪要", "review"),
        ("与人有生意上的争议，想咨询律师", "legal_aid"),
        ("合同里有仲裁条款，该去哪里", "arbitration"),
        ("麻烦帮我介绍对象", "not_duty"),
    ],
)
def test_first_words_suggest_an_ending_of_the_table(city: City, text: str, code: str) -> None:
    (found,) = _suggested(city, text=text)
    ending = city.endings[code]
    assert (found.code, found.name, found.action) == (code, ending.name, ending.action)
    assert (found.basis, found.told) == (ending.basis, ending.told)
    assert found.told


@pytest.mark.parametrize(
    "text",
    [
        "邻里纠纷：楼上高空抛物，砸坏了我的车",
        "邻居占用消防通道堆杂物，引起邻里纠纷",
        "邻里矛盾，楼下商铺音响噪音扰民",
        "邻居无证养殖，邻里关系紧张",
        "邻里纠纷，邻居打伤了我",
        "超市卖过期食品，价格还高0.1元",
        "超市标价9.9元，结账多收0.1元",
        "小店称重时短两，多收三毛",
        "停车场每小时贵了2元",
        "自来水涨了0.5元",
        "药店的药贵了1元",
        "超市多收我50元",
        "价格高0.1元，上次还多收了300元",
        "人民法院门口路灯不亮",
        "中级人民法院的空调噪声太大",
        "法院判决后物业费怎么交",
        "公司拖欠工资，已申请强制执行仍不给",
        "希望保护非物质文化遗产",
        "离婚证怎么补办",
        "离婚后女方带小孩上户口",
        "建议政府信息公开栏目增加检索",
        "信访局门口停车难，信访事项也没人理",
        "路口积水很深",
    ],
)
def test_a_matter_of_the_city_is_never_suggested_to_be_none(city: City, text: str) -> None:
    assert _suggested(city, text=text) == []


def test_a_long_letter_that_names_a_court_in_passing_suggests_nothing(city: City) -> None:
    letter = "我们小区门前的道路坑洼不平，一到下雨天就积水，老人出行很不方便，我们多次打电话，都说在排计划，至今没有人来看过一眼，真的很失望。"
    assert _suggested(city, text=letter + "再不来我就去申请行政复议") == []
    assert [each.code for each in _suggested(city, text="我就去申请行政复议。" + letter)] == ["review"]


def test_it_is_told_where_words_stand_in_what_was_said(city: City) -> None:
    title, text = "关于 邻里 纠纷", "要求政府干预\n  邻里纠纷，１楼和2楼"
    (found,) = _suggested(city, title=title, text=text)
    assert (found.reasons, [text[a:b] for a, b in found.said], [title[a:b] for a, b in found.titled]) == (
        ["邻里纠纷"],
        ["邻里纠纷"],
        ["邻里 纠纷"],
    )
    wide = "投诉：价格高０．１元"
    (found,) = _suggested(city, text=wide)
    assert ([wide[a:b] for a, b in found.said], found.reasons) == (["高０．１元"], ["under 5 yuan"])


def test_what_is_kept_of_it_has_no_words_that_were_said(city: City) -> None:
    (kept,) = explained(_suggested(city, text=TRIFLE))
    assert kept == {"code": "trivial", "reasons": ["under 5 yuan"], "said": [(6, 11)], "titled": [], "case_no": None}


@pytest.mark.parametrize(
    "fields",
    [
        {"text": f"{NEIGHBOURS}，家里着火了"},
        {"urgency": "urgent"},
        {"kind": "tipoff"},
        {"kind": "patrol"},
        {"kind": "sensor"},
        {"kind": "suggest"},
        {"kind": "praise"},
        {"assigned_unit": "drainage"},
        {"about": {"unit": "drainage"}},
        {"category": "E0506"},
        {"category": "C0101"},
        {"category": "S110401"},
        {"category": "S030401"},
    ],
    ids=lambda fields: "-".join(map(str, fields)),
)
def test_what_is_the_citys_or_cannot_wait_is_never_suggested(city: City, fields: dict[str, Any]) -> None:
    made: dict[str, Any] = {"text": NEIGHBOURS, "kind": "complaint"}
    assert _suggested(city, **made)
    assert _suggested(city, **made, category="S110204")
    assert _suggested(city, **(made | fields)) == []


def test_recorded_history_and_reports_that_join_a_case_are_never_suggested(city: City) -> None:
    past = {"text": NEIGHBOURS, "channel": "history", "received_at": "2025-11-18T10:00:00+08:00"}
    assert _suggested(city, REPLAYER, **past) == []
    assert unsuited(_prepared(city, text=NEIGHBOURS), Match("joined", 1.0), city) == []
    assert unsuited(_prepared(city, text=NEIGHBOURS), Match("facet", 0.5), city) != []


def test_nothing_is_suggested_under_an_emergency_that_makes_its_kind_urgent(city: City) -> None:
    category = city.categories.get("S110204", None)
    assert category is not None
    order = Emergency(1, "urgent", {}, frozenset({("S110204", category.table_version)}), None)
    under = replace(city, emergencies=Emergencies((order,), 1))
    assert _suggested(city, text=NEIGHBOURS, category="S110204")
    assert _suggested(under, text=NEIGHBOURS, category="S110204") == []


def test_a_danger_that_is_only_ordinarily_urgent_keeps_everything_from_being_suggested(city: City) -> None:
    mild = replace(city, dangers=Dangers([Danger("slip", "路滑", ("路滑",), "ordinary")]))
    assert _suggested(mild, text=NEIGHBOURS)
    assert _suggested(mild, text=f"{NEIGHBOURS}，门口路滑") == []


def test_a_city_without_words_or_with_the_switch_off_suggests_nothing(city: City) -> None:
    bare = [replace(each, words=(), unless=(), under_yuan=None) for each in city.endings.values()]
    without = replace(city, endings={each.code: each for each in bare}, signs=Signs(bare))
    off = replace(city, automatic=msgspec.structs.replace(city.automatic, unsuited=False))
    for text in (NEIGHBOURS, TRIFLE):
        assert _suggested(without, text=text) == []
        assert _suggested(off, text=text) == []


class TestSaidBefore:
    """The same person again about what ended without a unit."""

    SAID = "要求把楼下早餐店的招牌换成红色的，红色看着喜庆"

    def _case(self, item: Prepared, **changes: Any) -> Candidate:
        assert item.reading.identity is not None
        case = Candidate(
            7, "2026111800000017", False, None, "", None, None, None, START, START, None, packed(item.reading.words),
            {item.reading.identity.person}, ended=True,
        )  # fmt: skip
        return replace(case, **changes)

    def _again(self, city: City, text: str, *, suggested: bool = True, **changes: Any) -> list[str]:
        case = self._case(_prepared(city, text=self.SAID, caller=ME), **changes)
        item = _prepared(city, text=text, caller=ME)
        return [f"{v.code} {v.case_no}" for v in unsuited(item, Match("new", 0.7, suggested, case), city)]

    def test_what_says_nothing_new_is_suggested_with_the_case_that_holds_it(self, city: City) -> None:
        assert self._again(city, self.SAID) == ["no_new_facts 2026111800000017"]

    def test_new_facts_another_person_an_open_case_or_no_words_kept_suggest_nothing(self, city: City) -> None:
        assert self._again(city, self.SAID + "。昨天招牌掉下来砸坏了一辆电动自行车的后视镜") == []
        assert self._again(city, self.SAID, persons={b"other"}) == []
        assert self._again(city, self.SAID, ended=False) == []
        assert self._again(city, self.SAID, words=None) == []
        assert self._again(city, self.SAID, suggested=False) == []
