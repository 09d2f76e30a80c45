"""Run a command with a screen: the one that is there, or a virtual one made by xvfb-run.

``python with_screen.py COMMAND [ARGUMENT ...]`` returns the command's exit code. Only Linux
knows machines without a screen; everywhere else the command is simply run.
"""

import os
import shutil
import subprocess
import sys

from napari_clickseg.widgets.demo import VIRTUAL_SCREEN


def main(command: list[str]) -> int:
    environment = dict(os.environ)
    screen = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not screen:
        if shutil.which(VIRTUAL_SCREEN[0]) is None:
            print(
                "There is no screen and no xvfb-run to make one, and the viewer needs one of "
                "them: install the system packages that README.md names.",
                file=sys.stderr,
            )
            return 2
        command = [*VIRTUAL_SCREEN, *command]
        environment["QT_QPA_PLATFORM"] = "xcb"
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
