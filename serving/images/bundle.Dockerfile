# A bundle as an image, for an init container: docker build -f serving/images/bundle.Dockerfile -t recsys-bundle:1 bundles/NAME
ARG BASE=python:3.11-slim
FROM ${BASE}
COPY . /bundle
USER 1000
# It is done when it is copied; nothing runs that could be asked.
HEALTHCHECK NONE
CMD ["cp", "-r", "/bundle", "/bundles/live"]
