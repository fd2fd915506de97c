# trackblur on the CPU:
#   docker build -t trackblur .
#   docker run --rm -v "$PWD:/data" --user "$(id -u):$(id -g)" trackblur in.mp4 out.mp4
FROM python:3.13-slim AS build

WORKDIR /source
COPY pyproject.toml setup.cfg setup.py README.md LICENSE ./
COPY models models
COPY tracker_blur tracker_blur
RUN python -m venv /opt/trackblur \
    && /opt/trackblur/bin/pip install --no-cache-dir .

FROM python:3.13-slim

# What OpenCV's wheel needs of the system, and FFmpeg's program, with which `live` reads SRT.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 trackblur

COPY --from=build /opt/trackblur /opt/trackblur
ENV PATH=/opt/trackblur/bin:$PATH \
    XDG_CACHE_HOME=/tmp/cache

USER 1000
WORKDIR /data
# A run ends by itself; `live` may run for months. It serves its own figures with --metrics-port.
HEALTHCHECK --interval=5m --timeout=30s CMD ["trackblur", "--version"]
ENTRYPOINT ["trackblur"]
CMD ["--help"]
