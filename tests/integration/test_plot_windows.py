"""memlog plot in gnuplot's windows and in a browser: clicked, zoomed, in the dark."""
import contextlib
import ctypes
import os
import re
import subprocess
import time

import pytest
import memlog_testing as mt
from plot_testing import FORMS, browse, draw, folder, modules, needs, plot  # noqa: F401 fixtures


# ------------------------------------------------------------------------------ windows
@contextlib.contextmanager
def display():
    needs("Xvfb", "xdotool", "gnuplot")
    for _ in range(5):                                  # two that start at once may want one number
        read, write = os.pipe()
        server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24",
                                   "-nolisten", "tcp", "-noreset"], pass_fds=[write],
                                  stderr=subprocess.DEVNULL)
        os.close(write)
        with open(read) as answer:
            number = answer.readline().strip()
        if number:
            break
        server.wait()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


class ClientMessage(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong), ("message", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5), ("pad", ctypes.c_long * 16)]


def close_window(number, window):
    """As a window manager does when the person closes it; there is none here."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    server = ctypes.c_void_p(x11.XOpenDisplay(number.encode()))
    protocols, delete = (x11.XInternAtom(server, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    event = ClientMessage(33, 0, 1, server, int(window), protocols, 32, (delete, 0))
    x11.XSendEvent(server, ctypes.c_ulong(int(window)), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(server)


def xdotool(env, *words):
    return subprocess.run(["xdotool", *map(str, words)], env=env, capture_output=True, text=True,
                          timeout=mt.TIMEOUT_S).stdout


@pytest.mark.parametrize("how", ["closed", "q"])
@pytest.mark.parametrize("terminal", ["qt", "x11"])
def test_click_prints_the_stack(folder, terminal, how, tmp_path):
    with display() as number:
        terminals = subprocess.run(["gnuplot", "-e", "print GPVAL_TERMINALS"], capture_output=True,
                                   text=True).stderr.split()
        if terminal not in terminals:
            pytest.skip(f"this gnuplot has no {terminal} terminal (gnuplot-qt has)")
        env = dict(mt.base_environment(), DISPLAY=number, GNUTERM=terminal, QT_QPA_PLATFORM="xcb")
        env.pop("WAYLAND_DISPLAY", None)
        out = open(tmp_path / "out", "w+")
        child = subprocess.Popen([mt.MEMLOG, "plot", "small.h5", "--pstack"], cwd=folder, env=env,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        try:
            window = mt.wait_for(lambda: xdotool(env, "search", "--onlyvisible", "--name",
                                                 "^memlog: Resident memory").split(), what="the window")[-1]
            time.sleep(1.5)                             # gnuplot draws, then listens
            shape = dict(line.split("=") for line in
                         xdotool(env, "getwindowgeometry", "--shell", window).split())
            x, y = int(shape["X"]), int(shape["Y"])
            xdotool(env, "mousemove", x + 700, y + 150, "click", 1)     # no mark is there
            time.sleep(0.3)
            assert (tmp_path / "out").read_text() == ""
            # The first stack is at 1.2 of 11.1 s, somewhere above the axis; a busy machine may miss a click.
            for height in 10 * list(range(0, 640, 9)):
                xdotool(env, "mousemove", x + 79 + 112, y + 120 + height, "click", 1)
                if (tmp_path / "out").read_text():
                    break
            text = mt.wait_for(lambda: (tmp_path / "out").read_text(), what="the stack")
            assert text.startswith("stacks at 0:01.2") and "assemble(Mesh const&)  core.cpp:211" in text
            if how == "closed":
                close_window(number, window)
            else:
                xdotool(env, "key", "--window", window, "q")
            assert child.wait(timeout=mt.TIMEOUT_S) == 0
        finally:
            child.kill()
            child.wait()
            out.close()


def test_display_that_is_not_there(folder):
    """Says so, and draws in the terminal."""
    needs("gnuplot")
    done = plot(folder, "small", env={"DISPLAY": ":4711", "QT_QPA_PLATFORM": "xcb"}, window=True)
    assert done.returncode == 0 and re.search("[\u2801-\u28ff]", done.stdout)
    assert done.stderr == "memlog: display :4711 does not answer; drawn in the terminal instead\n"


# ------------------------------------------------------------------------------ the browser
@pytest.mark.parametrize("form", FORMS)
def test_html(folder, modules, form):
    seen = browse(modules, draw(folder, f"{form}.html", *FORMS[form]))
    assert seen["title"].startswith(("Resident", "Growth", "Heap"))
    assert (seen["light"], seen["dark"]) == ("rgb(255, 255, 255)", "rgb(16, 21, 27)")
    assert seen["toggled"] == seen["dark"]
    assert seen["tics"] == seen["whole"] and seen["zoomed"] != seen["tics"] != seen["moved"]
    assert re.search(r"\d (KiB|MiB|GiB|MiB/s|KiB/s)|no data", seen["hover"]), seen["hover"]
    assert bool(seen["marks"]) == ("--pstack" in FORMS[form] or "--stdout" in FORMS[form])
    if seen["marks"]:
        for way in ("clicked", "entered"):
            assert seen[way]["open"] and seen[way]["text"].startswith(("stacks at", "output at"))
        assert not seen["escaped"]["open"]
        assert any("assemble(Mesh const&)" in text for text in seen["all"])
