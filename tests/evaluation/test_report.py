"""Tables, JSON and CSV of results made by hand."""

import csv
import io
import json
from dataclasses import replace

import pytest

from napari_clickseg.evaluation.dataset import DatasetResult
from napari_clickseg.evaluation.machine import describe, machine_facts, peak_memory
from napari_clickseg.evaluation.protocol import ObjectResult
from napari_clickseg.evaluation.report import as_csv, as_json, results_from_json, table
from napari_clickseg.evaluation.summary import summarise
from napari_clickseg.evaluation.terms import Terms
from napari_clickseg.interactions import Click, Contour, Stroke


@pytest.fixture
def result():
    objects = (
        ObjectResult("a", 1, 40, (0.5, 0.82, 0.91), (0.1, 0.2, 0.3)),
        ObjectResult("a", 3, 50, (0.95,), (0.4,)),
        ObjectResult("b", 1, 60, (0.1, 0.2, 0.3, 0.86), (0.1, 0.1, 0.1, 0.1)),
    )
    return DatasetResult("Tiny", objects, Terms(n_clicks=4))


def test_summary(result):
    summary = summarise(result)
    assert (summary.n_images, summary.n_objects) == (2, 3)
    assert [entry.threshold for entry in summary.noc] == [0.80, 0.85, 0.90]
    assert [entry.mean for entry in summary.noc] == pytest.approx([7 / 3, 8 / 3, 8 / 3])
    assert [entry.at_limit for entry in summary.noc] == [1, 1, 1]
    assert [entry.failures for entry in summary.noc] == [0, 0, 1]
    assert summary.iou_at == pytest.approx({1: 1.55 / 3, 2: 1.97 / 3, 3: 2.16 / 3})
    assert summary.mean_iou == pytest.approx((1.55 + 1.97 + 2.16 + 2.72) / 12)
    assert summary.mean_boundary_iou is None
    assert summary.harmful == 0.0
    assert summary.seconds.network == pytest.approx(0.1)
    assert summary.seconds.network_mean == pytest.approx(1.4 / 8)
    for entry in summary.noc:
        assert (entry.low, entry.high) == (2.0 if entry.threshold > 0.8 else 1.5, 4.0)


def test_any_thresholds(result):
    summary = summarise(result, (0.3, 0.95))
    assert [entry.mean for entry in summary.noc] == pytest.approx([5 / 3, 3.0])
    assert "NoC@95" in table([summary])


def of_two_hands():
    def one(variant, first, second):
        ious = [("a", (first, 0.95)), ("b", (second, 0.9))]
        return [ObjectResult(i, 1, 9, v, (0.1, 0.1), v, variant=variant) for i, v in ious]

    objects = (*one("seed 0", 0.96, 0.5), *one("seed 1", 0.5, 0.5))
    return DatasetResult("Tiny", objects, Terms(n_clicks=2, boundary=3), user="uniform")


def test_numbers_of_several_hands_are_means_with_their_spread():
    summary = summarise(of_two_hands())
    assert (summary.n_images, summary.n_objects, summary.n_variants) == (2, 2, 2)
    ninety = summary.noc[-1]
    assert (ninety.mean, ninety.spread) == pytest.approx((1.75, 0.25))
    assert ninety.at_limit == 1.5
    assert summary.harmful == 0.0  # 0.96 to 0.95 is not more than one point
    curves = (0.73 + 0.925) / 2, (0.5 + 0.925) / 2
    assert summary.mean_iou == pytest.approx(sum(curves) / 2)
    assert summary.mean_iou_spread == pytest.approx((curves[0] - curves[1]) / 2)
    assert summary.mean_boundary_iou == summary.mean_iou
    text = table([summary])
    assert "uniform" in text
    assert "±@90" in text


def test_text_table_is_aligned(result):
    head, row = table([summarise(result)]).splitlines()
    assert len(head) == len(row)
    assert head.split("  ")[0].strip() == "set"
    cells = row.split()
    assert cells[:3] == ["Tiny", "2", "3"]
    assert "2.67" in cells
    assert ">=4@90" in head


def test_markdown_table_has_one_cell_per_column(result):
    lines = table([summarise(result), summarise(result)], style="markdown").splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert set(lines[1]) <= set("|-: ")


def test_a_low_target_has_no_noc_beyond_it(result):
    low = DatasetResult("Low", result.objects, Terms(4, 0.85))
    text = table([summarise(low)])
    assert "NoC@85" in text
    assert "NoC@90" not in text


def test_json_is_plain_and_whole(result):
    plain = as_json([result], {"model": "m"})
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    entry = plain["sets"][0]
    assert plain["model"] == "m"
    assert entry["objects"][0]["ious"] == [0.5, 0.82, 0.91]
    assert entry["summary"]["iou_at"]["1"] == pytest.approx(1.55 / 3)
    assert entry["summary"]["noc"][2]["failures"] == 1


def test_json_gives_the_results_back(result):
    said = (Click(1, 2), Stroke([(1, 2), (3, 4.5)], False), Contour([(0, 0), (0, 5), (5, 5)]))
    objects = (*result.objects, replace(result.objects[0], interactions=said, variant="seed 1"))
    wanted = DatasetResult("A", objects, Terms(resize=(4, 5)), ("none",), "uniform")
    plain = json.loads(json.dumps(as_json([wanted], {"model": "m"})))
    assert results_from_json(plain) == [wanted]
    with pytest.raises(ValueError, match="no results"):
        results_from_json({"sets": [{"name": "a"}]})


def test_peak_memory_is_that_of_a_process_with_python():
    assert peak_memory() > 10 * 2**20


def test_csv_has_a_line_per_object(result):
    rows = list(csv.DictReader(io.StringIO(as_csv([result]))))
    assert [row["label"] for row in rows] == ["1", "3", "1"]
    assert float(rows[2]["iou_4"]) == 0.86
    assert rows[1]["iou_2"] == ""
    assert float(rows[0]["seconds_per_click"]) == pytest.approx(0.2)


def test_machine_facts_are_plain():
    facts = machine_facts("cpu")
    assert json.loads(json.dumps(facts)) == facts
    assert facts["cpu"]
    assert facts["cores"] >= 1
    line = describe(facts)
    assert str(facts["cpu"]) in line
    assert str(facts["torch"]) in line
