# trackblur on the CPU:
#   docker build -t trackblur .
#   docker run --rm -v "$PWD:/data" --user "$(id -u):$(id -g)" trackblur in.mp4 out.mp4
# The service (deploy/compose.yaml):
#   docker build --target service -t trackblur-service .
FROM python:3.13-slim AS build

WORKDIR /source
COPY pyproject.toml setup.cfg setup.py README.md LICENSE ./
COPY models models
COPY tracker_blur tracker_blur
RUN python -m venv /opt/trackblur \
    && /opt/trackblur/bin/pip install --no-cache-dir .

FROM python:3.13-slim AS runtime

# What OpenCV's wheel needs of the system, and FFmpeg's program, with which `live` reads SRT.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 trackblur \
    && install -d -o trackblur -g trackblur /state

COPY --from=build /opt/trackblur /opt/trackblur
ENV PATH=/opt/trackblur/bin:$PATH \
    XDG_CACHE_HOME=/tmp/cache

USER 1000
ENTRYPOINT ["trackblur"]

FROM runtime AS service

# All that it writes, also with a root file system that is read-only. The service makes the inner
# folder itself: it must own the folder that it closes to others.
VOLUME ["/state", "/tmp"]
ENV TRACKBLUR_STATE=/state/trackblur
EXPOSE 9001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9001/healthz', timeout=4)"]
CMD ["serve", "--host", "0.0.0.0", "--token-file", "/run/secrets/trackblur_token"]

FROM runtime

WORKDIR /data
# A run ends by itself; `live` may run for months. It serves its own figures with --metrics-port.
HEALTHCHECK --interval=5m --timeout=30s CMD ["trackblur", "--version"]
CMD ["--help"]
