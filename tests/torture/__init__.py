"""What is promised of kills, full disks and cameras that fail, tried many times: one command.

    python -m tests.torture                  # all: 1,000 kills of the labeller, and so on
    python -m tests.torture --share 0.1      # a tenth of each
    python -m tests.torture --only recordings,videos

Not among the tests that pytest finds: it takes long. `docs/reliability.md` holds what it printed.
"""
