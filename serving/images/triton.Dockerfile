# NVIDIA's server with what the models of a repository import. TRITON_IMAGE is its image, Python 3.12.
ARG TRITON_IMAGE=tritonserver:24.12-py3
FROM ${TRITON_IMAGE}
RUN python3 -m pip install --no-cache-dir numpy==1.26.4 pyarrow==21.0.0 onnxruntime==1.23.2 faiss-cpu==1.12.0
USER 1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["curl", "--fail", "--silent", "http://127.0.0.1:8000/v2/health/ready"]
CMD ["tritonserver", "--model-repository=/models"]
