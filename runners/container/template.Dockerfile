# What launches jobs as a Flex Template: the image of the workers, and Google's launcher.
#
#   docker build --file runners/container/template.Dockerfile --build-arg WORKERS=NAME \
#       --build-arg LAUNCHER=IMAGE --tag TEMPLATE .
#
# IMAGE is Google's Python template launcher base image of the same version of Python.
ARG WORKERS
ARG LAUNCHER
FROM ${LAUNCHER} AS launcher

FROM ${WORKERS}
COPY --from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/python_template_launcher
RUN printf 'from pipeline.template import main\n\nmain()\n' > /opt/repomill/launch.py
ENV FLEX_TEMPLATE_PYTHON_PY_FILE=/opt/repomill/launch.py
ENTRYPOINT ["/opt/google/dataflow/python_template_launcher"]
