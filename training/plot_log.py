"""Draw the curves of a training run: ``python training/plot_log.py RUN/log.jsonl OUT.png``."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(log: str, out: str) -> None:
    """Read the log's entries and draw IoU and loss against gradient samples."""
    entries = [json.loads(line) for line in Path(log).read_text(encoding="utf-8").splitlines()]
    samples = [entry["samples"] / 1000 for entry in entries]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for k in (1, 3, 5):
        left.plot(samples, [entry[f"iou@{k}"] for entry in entries], ".-", label=f"{k} clicks")
    left.set(xlabel="gradient samples (thousands)", ylabel="mean IoU, held-out crops")
    left.legend(loc="best")
    right.plot(samples, [entry["loss"] for entry in entries], ".-", color="0.3")
    right.set(xlabel="gradient samples (thousands)", ylabel="loss (focal + soft IoU)")
    starts = [
        now["samples"] / 1000
        for now, after in zip(entries, entries[1:], strict=False)
        if after["stage"] > now["stage"]
    ]
    for axes in (left, right):
        axes.grid(alpha=0.3)
        for start in starts:
            axes.axvline(start, color="0.6", lw=0.8, ls="--")
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
