# The command line on the CPU, without windows:
#   docker build -t landmark-tracker .
#   docker run --rm -v "${PWD}:/work" landmark-tracker video in.mp4
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.11-slim-bookworm
# What OpenCV and Qt load even where no window is opened.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 libegl1 libxkbcommon0 \
    && rm -rf /var/lib/apt/lists/*
COPY constraints.txt /tmp/
RUN --mount=from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir -c /tmp/constraints.txt /wheel/*.whl
RUN useradd --create-home tracker
USER tracker
WORKDIR /work
ENTRYPOINT ["landmark-tracker"]
CMD ["--help"]
