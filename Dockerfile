# syntax=docker/dockerfile:1
# Three images: docker build --target train|api|app -t recsys-api .
#
# BASE is what all stand on, a Debian with Python 3.11. TORCH is the version of PyTorch in the image `train`, and TORCH_INDEX
# the package index that has the build for CPUs or for some GPU; without it the one that pip is configured with:
# docs/containers.md.
ARG BASE=python:3.11-slim

# ---- libraries of each image, each in a virtual environment ---------------------------------------------------------
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY serving/images/ images/

FROM build AS libraries-api
RUN python3 -m venv --without-pip /opt/recsys \
    && python3 -m pip --python /opt/recsys/bin/python install --no-deps --require-hashes -r images/api.txt

FROM build AS libraries-app
RUN python3 -m venv --without-pip /opt/recsys \
    && python3 -m pip --python /opt/recsys/bin/python install --no-deps --require-hashes -r images/app.txt

FROM build AS libraries-train
ARG TORCH=2.13.0
ARG TORCH_INDEX=
RUN python3 -m venv --without-pip /opt/recsys \
    && python3 -m pip --python /opt/recsys/bin/python install --no-deps --require-hashes -r images/train.txt \
    && python3 -m pip --python /opt/recsys/bin/python install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "torch==${TORCH}"

# ---- what all images are --------------------------------------------------------------------------------------------
FROM ${BASE} AS base
RUN groupadd --gid 1000 recsys && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /var/lib/recsys recsys \
    && install -d -o recsys -g recsys /var/lib/recsys /bundles /data /runs
ENV PATH=/opt/recsys/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/var/lib/recsys
WORKDIR /opt/recsys/app

# ---- training, exports, everything that `recsys COMMAND` does --------------------------------------------------------
FROM base AS train
COPY --from=libraries-train /opt/recsys /opt/recsys
COPY configs/ configs/
COPY scripts/ scripts/
COPY recsys/ recsys/
COPY serving/recsys_serving/ recsys_serving/
ENV PYTHONPATH=/opt/recsys/app RECSYS_ENTRY_POINT=1 RECSYS_CACHE=/data/cache
WORKDIR /var/lib/recsys
USER 1000
# A training has no port to ask; that the libraries open is what can be known of it.
HEALTHCHECK --interval=5m --timeout=60s CMD ["python", "-c", "import torch, recsys"]
ENTRYPOINT ["python", "-m", "recsys.cli.main"]
CMD ["--help"]

# ---- the service ----------------------------------------------------------------------------------------------------
FROM base AS api
COPY --from=libraries-api /opt/recsys /opt/recsys
COPY recsys/ recsys/
COPY serving/recsys_serving/ recsys_serving/
COPY serving/images/check_http.py /opt/recsys/check_http.py
ENV PYTHONPATH=/opt/recsys/app RECSYS_VAR=/var/lib/recsys RECSYS_HOST=0.0.0.0 RECSYS_PORT=8000 \
    RECSYS_BUNDLE=/bundles/live PROMETHEUS_MULTIPROC_DIR=/tmp/metrics OMP_NUM_THREADS=1
USER 1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/recsys/check_http.py", "http://127.0.0.1:8000/readyz"]
# Numbers of workers that have ended are forgotten with them.
CMD ["sh", "-c", "rm -rf \"$PROMETHEUS_MULTIPROC_DIR\" && mkdir -p \"$PROMETHEUS_MULTIPROC_DIR\" && exec python -m recsys_serving.local.server \"$RECSYS_HOST\" \"$RECSYS_PORT\""]

# ---- the app --------------------------------------------------------------------------------------------------------
FROM base AS app
COPY --from=libraries-app /opt/recsys /opt/recsys
COPY .streamlit/ .streamlit/
COPY app/ app/
COPY serving/images/check_http.py /opt/recsys/check_http.py
ENV PYTHONPATH=/opt/recsys/app
USER 1000
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "/opt/recsys/check_http.py", "http://127.0.0.1:8501/_stcore/health"]
CMD ["python", "-m", "streamlit", "run", "app/main.py", "--server.address=0.0.0.0", "--server.port=8501"]
