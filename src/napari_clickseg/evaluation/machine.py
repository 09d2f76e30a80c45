"""The machine that numbers were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

__all__ = ["describe", "machine_facts", "peak_memory"]


def machine_facts(device: str = "cpu") -> dict[str, str | int]:
    """Processor, cores, threads, torch version and device.

    Parameters
    ----------
    device : str
        Where the model is: ``"cpu"``, ``"cuda:0"``, ``"mps"``.

    Returns
    -------
    dict
        Plain values, ready for JSON. ``cores`` are those this process may use.
    """
    import torch

    affinity = getattr(os, "sched_getaffinity", None)
    facts: dict[str, str | int] = {
        "cpu": _cpu_model(),
        "cores": len(affinity(0)) if affinity else os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
    }
    if device.startswith("cuda"):
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def describe(facts: dict[str, str | int]) -> str:
    """One line for a person."""
    where = f"{facts['gpu']} ({facts['device']}), " if "gpu" in facts else ""
    if "gpu" not in facts and facts["device"] != "cpu":
        where = f"{facts['device']}, "
    return (
        f"{where}{facts['cpu']}, {facts['cores']} cores, {facts['threads']} threads, "
        f"torch {facts['torch']}, Python {facts['python']}, {facts['system']}"
    )


def peak_memory(device: str = "cpu") -> int | None:
    """The most memory that this process has held so far, in bytes.

    Parameters
    ----------
    device : str
        On a GPU it is the GPU's memory that counts.

    Returns
    -------
    int or None
        None where the system does not tell.
    """
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _cpu_model() -> str:
    """Name of the processor as the system gives it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        if answer:
            return answer
    return platform.processor() or platform.machine() or "unknown processor"
