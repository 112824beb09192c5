"""The machines that the runtime is for: Raspberry Pis, emulated, and the Pythons of this one.

A Raspberry Pi is a Debian tree for its processor, as Raspberry Pi OS is one. debootstrap makes it,
and the kernel hands its programs to qemu (binfmt_misc): each command runs as it would there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.pi.index import MIRROR, own_index

WORK = Path(__file__).parents[2] / "build/pi"
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_INSIDE = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_CERT": f"/{_CERTIFICATES}",
}
# unshare's mounts are gone when its command is. The shell stays: as the first process of its
# namespace, a program that crashes would get no signal and hang.
_ENTER = 'mount -t proc proc "$0/proc"; mount --bind /sys "$0/sys"; chroot "$0" "$@" || exit'


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Machine:
    """One on which a person makes a virtual environment and installs the wheel in it.

    Attributes:
        name: names it among all machines, and its folder.
        python: the command of its Python.
        venv_options: how the environment is made.
        runs: the distribution that runs the network there.
        interpreter: the one to install for that, with its version; None for what pip chooses.
    """

    name: str
    python: str = "python3"
    venv_options: tuple[str, ...] = ()
    runs: str = "tflite-runtime"
    interpreter: str | None = None

    @property
    def home(self) -> Path:
        """The folder in which its commands run."""
        return WORK / self.name

    @property
    def missing(self) -> str | None:
        """Why there is no such machine here."""
        command = shutil.which(self.python)
        # pyenv has a command for every version that it knows, and most only fail.
        if command is None or subprocess.run([command, "-V"], capture_output=True).returncode:
            return f"no {self.python} in PATH"
        return None

    def build(self) -> None:
        """Makes it, unless it is there already."""
        self.home.mkdir(parents=True, exist_ok=True)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in `home`."""
        return subprocess.run(command, cwd=self.home, capture_output=True, text=True)

    def has_installed(self, wheel: Path, environment: str) -> bool:
        """Whether this very wheel was installed in a virtual environment here."""
        stamp = self._stamp(environment)
        return stamp.exists() and stamp.read_text() == _digest(wheel)

    def install(
        self, wheel: Path, environment: str, *options: str
    ) -> subprocess.CompletedProcess[str]:
        """Installs the wheel in a new virtual environment; returns what pip said."""
        self._stamp(environment).unlink(missing_ok=True)
        shutil.rmtree(self.home / environment, ignore_errors=True)
        shutil.copy(wheel, self.home)
        made = self.run(self.python, "-m", "venv", *self.venv_options, environment)
        assert made.returncode == 0, made.stderr
        pip: tuple[str, ...] = (f"{environment}/bin/pip", "--disable-pip-version-check")
        pip = (*pip, "install", "--quiet")
        if self.interpreter:
            chosen = self.run(*pip, "numpy", self.interpreter)
            assert chosen.returncode == 0, chosen.stderr
            pip = (*pip, "--no-deps")
        installed = self.run(*pip, *options, wheel.name)
        if installed.returncode == 0:
            self._stamp(environment).write_text(_digest(wheel))
        return installed

    def _stamp(self, environment: str) -> Path:
        return self.home / f"{environment}.sha256"


@dataclass(frozen=True)
class Pi(Machine):
    """A Raspberry Pi.

    Attributes:
        release: of Debian: `bookworm` or `trixie`.
        architecture: of its programs, as Debian names it.
        packages: of Debian, those that a person installs first.
    """

    release: str = ""
    architecture: str = ""
    packages: tuple[str, ...] = ("python3-venv",)

    @property
    def home(self) -> Path:
        """The folder in which its commands run: its user's home."""
        return self._root / "root"

    @property
    def _root(self) -> Path:
        return WORK / self.name

    @property
    def missing(self) -> str | None:
        """Why there cannot be such a machine here."""
        if os.geteuid() != 0:
            return "needs root, for debootstrap and chroot"
        for command in ("debootstrap", "arch-test", "unshare"):
            if shutil.which(command) is None:
                return f"no {command}: apt install debootstrap arch-test qemu-user-static"
        if subprocess.run(["arch-test", self.architecture], capture_output=True).returncode:
            return (
                f"this kernel runs no programs for {self.architecture}: "
                "apt install qemu-user-static && /usr/lib/systemd/systemd-binfmt"
            )
        return None

    def build(self) -> None:
        """Makes its tree, unless it is there already; takes minutes."""
        if self._root.exists():
            return
        partial = WORK / f"{self.name}.partial"
        made = self._bootstrap(partial)
        if "Packages" in made.stdout[-200:] + made.stderr:  # it could not be had as it was signed
            with own_index(self.release, self.architecture) as address:
                made = self._bootstrap(partial, "--no-check-gpg", mirror=address)
        assert made.returncode == 0, made.stdout[-2000:] + made.stderr
        if "PIP_CERT" in os.environ:  # here the network has a certificate of its own
            shutil.copyfile(os.environ["PIP_CERT"], partial / _CERTIFICATES)
        partial.rename(self._root)

    def _bootstrap(
        self, partial: Path, *further: str, mirror: str = MIRROR
    ) -> subprocess.CompletedProcess[str]:
        """Runs debootstrap in a new folder."""
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        packages = ",".join([*self.packages, "ca-certificates"])
        options = (f"--arch={self.architecture}", "--variant=minbase", f"--include={packages}")
        # What it mounts is gone with it too, however it ends.
        command = ["unshare", "--mount", "debootstrap", *options, *further]
        command += [self.release, str(partial), mirror]
        return subprocess.run(command, capture_output=True, text=True)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in `home`."""
        enter = ("unshare", "--mount", "--pid", "--fork", "sh", "-ec", _ENTER, self._root)
        return subprocess.run(
            [*enter, "env", "--chdir=/root", *command], env=_INSIDE, capture_output=True, text=True
        )


MACHINES = (
    Pi("bookworm-arm64", release="bookworm", architecture="arm64"),
    Pi(
        "bookworm-armhf",
        release="bookworm",
        architecture="armhf",
        # PyPI has no numpy for it, Debian has.
        packages=("python3-venv", "python3-numpy"),
        venv_options=("--system-site-packages",),
    ),
    Pi("trixie-arm64", release="trixie", architecture="arm64", runs="ai-edge-litert"),
    Pi(
        "trixie-armhf",
        release="trixie",
        architecture="armhf",
        packages=("python3-venv", "python3-numpy"),
        venv_options=("--system-site-packages",),
        runs="numpy",
    ),
    *(Machine(f"desktop-{python}", python) for python in ("python3.10", "python3.11")),
    *(
        Machine(f"desktop-{python}", python, runs="ai-edge-litert")
        for python in ("python3.12", "python3.13")
    ),
    *(
        Machine(
            f"desktop-{python}-litert", python, runs="ai-edge-litert", interpreter="ai-edge-litert"
        )
        for python in ("python3.10", "python3.11")
    ),
    # No interpreter: the oldest numpy that will do, and the newest there is.
    Machine("desktop-python3.10-numpy", "python3.10", runs="numpy", interpreter="numpy==1.21.*"),
    Machine("desktop-python3.13-numpy", "python3.13", runs="numpy", interpreter="numpy"),
)
