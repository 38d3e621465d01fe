from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from workers.engines.baselines import rouge_l
from workers.engines.registry import load_engine, models_of
from workers.engines.tokens import common_length, tokenize
from workers.judge.engine import EngineError
from workers.judge.requests import CriterionSpec, JudgeRequest
from workers.judge.verdicts import JudgeOutput, unswap

PAIR = CriterionSpec("overall", "pair")
NO_TIES = CriterionSpec("overall", "pair", ties=False)
SCORE = CriterionSpec("quality", "score", scale=(1, 4))
CHOICE = CriterionSpec("tone", "choice", options=("polite", "rude"))


def pair(first: str, second: str, **changes: object) -> JudgeRequest:
    return replace(JudgeRequest("q1", "pair", "Say hello.", (first, second), PAIR), **changes)  # type: ignore[arg-type]


def ask(model: str, request: JudgeRequest, **params: object) -> JudgeOutput:
    (output,) = load_engine("baseline", model, params).judge([request])
    return output


def test_length_prefers_the_longer_response_and_says_so():
    output = ask("length", pair("x" * 812, "x" * 455))
    assert (output.status, output.verdict) == ("ok", "A")
    assert output.raw == "812 characters against 455: the first shown is longer"
    assert output.seconds > 0
    assert len(output.prompt_hash) == 64


def test_a_verdict_is_about_the_items_responses_whichever_was_shown_first():
    assert ask("length", pair("long answer", "short", order="AB")).verdict == "A"
    assert ask("length", pair("short", "long answer", order="BA")).verdict == "A"
    assert ask("length", pair("same", "size", order="BA")).verdict == "tie"
    assert [unswap(side, "BA") for side in ("first", "tie", "second")] == ["B", "tie", "A"]


def test_equal_measures_give_no_verdict_where_the_criterion_has_no_tie():
    output = ask("length", pair("same", "size", criterion=NO_TIES))
    assert (output.status, output.verdict) == ("refused", None)
    assert output.raw == "4 characters each: as long as one another, and the criterion has no tie"


def test_rouge_prefers_what_is_closer_to_the_reference_in_chinese_too():
    english = pair("The cat sat on a mat.", "A dog ran.", reference="the cat sat on the mat")
    chinese = pair("今天下雨。", "明天天气很好", reference="明天天气很好。", order="BA")
    assert ask("rouge_l", english).verdict == "A"
    output = ask("rouge_l", chinese)
    assert output.verdict == "A"
    assert output.raw == "ROUGE-L 0.2000 against 1.0000: the second shown is closer"


@pytest.mark.parametrize("reference", [None, "", " \n"])
def test_rouge_refuses_an_item_without_a_reference(reference):
    request = pair("a", "b", reference=reference)
    reason = "The baseline “rouge_l” needs a reference answer, and the item has none."
    assert load_engine("baseline", "rouge_l").refuses(request) == reason
    output = ask("rouge_l", request)
    assert (output.status, output.raw) == ("refused", reason)


@pytest.mark.parametrize("model", ["length", "rouge_l"])
def test_a_comparison_refuses_scores_and_single_responses(model):
    engine = load_engine("baseline", model)
    assert "gives no scores" in str(engine.refuses(pair("a", "b", criterion=SCORE, reference="a")))
    assert "needs two responses" in str(engine.refuses(pair("a", "b", responses=("a",), reference="a")))
    assert engine.capabilities.pair
    assert not engine.capabilities.score


def test_random_is_reproducible_and_depends_on_every_part():
    def draws(seed: int = 1, **changes: object) -> list[object]:
        engine = load_engine("baseline", "random", {"seed": seed})
        requests = [pair("a", "b", item_id=f"q{number}", **changes) for number in range(60)]
        return [output.verdict for output in engine.judge(requests)]

    assert draws() == draws()
    for other in (
        draws(2),
        draws(order="BA"),
        draws(sample=1),
        draws(criterion=replace(PAIR, key="tone")),
    ):
        assert other != draws()


def test_random_is_even_and_its_two_orders_agree_by_chance_only():
    engine = load_engine("baseline", "random")
    drawn = [
        [output.verdict for output in engine.judge([pair("a", "b", item_id=f"q{n}", order=order) for n in range(3000)])]
        for order in ("AB", "BA")
    ]
    for verdicts in drawn:
        assert all(900 < count < 1100 for count in Counter(verdicts).values())
    assert 900 < sum(first == second for first, second in zip(*drawn, strict=True)) < 1100


def test_random_draws_from_what_the_criterion_allows():
    def answers(criterion: CriterionSpec) -> set[object]:
        outputs = load_engine("baseline", "random").judge(
            [pair("a", "b", item_id=str(number), criterion=criterion) for number in range(100)]
        )
        return {next(v for v in (o.verdict, o.score, o.choice) if v is not None) for o in outputs}

    assert answers(NO_TIES) == {"A", "B"}
    assert answers(SCORE) == {1.0, 2.0, 3.0, 4.0}
    assert answers(CHOICE) == {"polite", "rude"}
    assert load_engine("baseline", "random").refuses(pair("a", "b", criterion=CriterionSpec("x", "choice")))


def test_an_output_has_an_answer_exactly_when_it_is_ok():
    with pytest.raises(ValueError, match="does not go with 0 answers"):
        JudgeOutput(raw="")
    with pytest.raises(ValueError, match="does not go with 1 answers"):
        JudgeOutput(raw="", status="unparsed", verdict="tie")


def test_engines_are_kept_and_unknown_ones_are_named():
    assert load_engine("baseline", "random", {"seed": 3}) is load_engine("baseline", "random", {"seed": 3})
    assert models_of("baseline") == ("length", "rouge_l", "random")
    for arguments, said in (
        (("baselin", "length"), "Did you mean “baseline”?"),
        (("baseline", "lenght"), "Did you mean “length”?"),
        (("baseline", "length", {"seed": 1}), "has no setting “seed”"),
        (("baseline", "random", {"seed": "x"}), "must be a whole number"),
    ):
        with pytest.raises(EngineError, match=said.replace("?", r"\?")):
            load_engine(*arguments)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, World_2 it's", ["hello", "world", "2", "it", "s"]),
        ("用 GPT-4 写代码！", ["用", "gpt", "4", "写", "代", "码"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("カタカナとkana", ["カ", "タ", "カ", "ナ", "と", "kana"]),
        ("naïve nai\u0308ve", ["naïve", "naïve"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("Привет, мир", ["привет", "мир"]),
        ("한국어 문장", ["한국어", "문장"]),
        (" …！ ", []),
    ],
)
def test_tokens_of_many_scripts(text, tokens):
    assert tokenize(text) == tokens


ascii_texts = st.text(st.sampled_from("ab cB,.\n1_"), max_size=60)


@settings(deadline=None)
@given(ascii_texts, ascii_texts)
def test_figures_are_those_of_rouge_score_where_its_own_tokenizer_works(reference, response):
    expected = RougeScorer(["rougeL"]).score(reference, response)["rougeL"].fmeasure
    assert rouge_l(reference, response) == expected


@settings(deadline=None)
@given(st.text("天地人和a b", max_size=30), st.text("天地人和a b", max_size=30))
def test_figures_are_those_of_rouge_score_with_the_same_tokens(reference, response):
    class Tokens:
        tokenize = staticmethod(tokenize)

    expected = RougeScorer(["rougeL"], tokenizer=Tokens()).score(reference, response)["rougeL"].fmeasure
    assert rouge_l(reference, response) == expected


def test_the_common_subsequence_of_a_worked_case():
    assert common_length("ABCBDAB", "BDCABA") == 4
    assert common_length("", "x") == common_length("x", "") == 0


def test_a_long_answer_takes_no_time():
    assert rouge_l("天气很好" * 5000, "天气不好" * 5000) == pytest.approx(0.75, abs=0.01)


def test_the_judge_library_loads_neither_django_nor_celery_nor_a_scorer():
    code = (
        "import sys; from workers.engines.registry import load_engine; load_engine('baseline', 'rouge_l');"
        "print([name for name in ('django', 'celery', 'rouge_score', 'nltk', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
