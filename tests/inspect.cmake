classify_unit_test(inspect DEPENDS classify_inspect)
classify_unit_test(quota DEPENDS classify_inspect)
classify_unit_test(inspect_disk DEPENDS classify_inspect)
classify_unit_test(inspect_live DEPENDS classify_inspect)
classify_unit_test(far_end DEPENDS classify_inspect)
# Linked to run at fixed addresses, as few programs are, and with a library that has no symbols but
# those it exports, as most do.
find_package(Threads REQUIRED)
add_library(lock_library SHARED unit/lock_library.c)
classify_warnings(lock_library)
target_link_options(lock_library PRIVATE -s)
classify_unit_test(memory_place DEPENDS classify_inspect lock_library Threads::Threads)
target_compile_options(test_memory_place PRIVATE -fno-pie)
target_link_options(test_memory_place PRIVATE -no-pie)
