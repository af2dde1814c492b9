# Tasks of asyncio and names of threads in running interpreters.
classify_unit_test(python_tasks DEPENDS classify_python)
