"""A theremin without a synthesiser: hear the right hand. Height is the pitch, a fist is silence.

tracker live --to osc://127.0.0.1:9000
python examples/osc_to_synth.py tone.wav 10        # ten seconds of sound

For SuperCollider, Pure Data and the like there is nothing to write: listen to the same addresses.
"""

import sys
import time
import wave

import numpy as np
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import ThreadingOSCUDPServer

RATE, BLOCK = 48000, 480


class Theremin:
    """Keeps what the hand last said."""

    def __init__(self) -> None:
        self.hertz, self.loud, self.phase = 440.0, 0.0, 0.0

    def tip(self, address: str, x: float, y: float, score: float) -> None:
        """The index fingertip: two octaves from the lower to the upper edge of the picture."""
        self.hertz = 220 * 4 ** (1 - min(max(y, 0), 1))

    def bend(self, address: str, *fingers: float) -> None:
        """An open hand is loud."""
        self.loud = 1 - min(max(sum(fingers[1:]) / 4, 0), 1)

    def found(self, address: str, seen: int) -> None:
        """Nobody is silent."""
        if not seen:
            self.loud = 0.0

    def block(self) -> np.ndarray:
        """The next hundredth of a second, 16 bit."""
        turns = self.phase + np.arange(BLOCK) * self.hertz / RATE
        self.phase = (turns[-1] + self.hertz / RATE) % 1
        return (12000 * self.loud * np.sin(2 * np.pi * turns)).astype("<i2")


def main() -> None:
    """Listen and write a sound file, in real time."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 9000
    theremin, dispatcher = Theremin(), Dispatcher()
    dispatcher.map("/right/point/index_tip", theremin.tip)
    dispatcher.map("/right/bend", theremin.bend)
    dispatcher.map("/right/found", theremin.found)
    with ThreadingOSCUDPServer(("127.0.0.1", port), dispatcher) as server:
        from threading import Thread

        Thread(target=server.serve_forever, daemon=True).start()
        with wave.open(path, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE)
            begun = time.monotonic()
            for i in range(round(seconds * RATE / BLOCK)):
                time.sleep(max(begun + i * BLOCK / RATE - time.monotonic(), 0))
                sound.writeframes(theremin.block().tobytes())
        server.shutdown()


if __name__ == "__main__":
    main()
