"""`python -m twin.workers`: what launch.py starts. It has set the environment that jax reads at
import.
"""

from __future__ import annotations

import logging

from twin.workers.lifeline import Lifeline
from twin.workers.process import arguments, work


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = arguments()
    lifeline = Lifeline()  # before the slow imports: the front end may go while they last
    from twin.workers.analyses import ANALYSES, TOGETHER

    work(options, lifeline, ANALYSES, TOGETHER)


if __name__ == "__main__":
    main()
