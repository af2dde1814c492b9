# Mapped files and the unwinder.
add_executable(sample_stacks unwind/sample_stacks.c unwind/traced_stack.c)
target_compile_definitions(sample_stacks PRIVATE _GNU_SOURCE)
target_link_libraries(sample_stacks PRIVATE classify_unwind)
classify_warnings(sample_stacks)
