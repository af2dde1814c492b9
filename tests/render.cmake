classify_unit_test(render SOURCES unit/render_samples.c DEPENDS classify_render)
classify_unit_test(render_parts DEPENDS classify_render)
classify_unit_test(render_lines DEPENDS classify_render)
classify_unit_test(exports SOURCES unit/stack_samples.c DEPENDS classify_render)
classify_unit_test(pprof SOURCES unit/stack_samples.c DEPENDS classify_render)

# Every golden report against the schema that classify prints.
set(reports)
foreach(name io gil idle hostile mixed keep)
	list(APPEND reports ${CMAKE_CURRENT_SOURCE_DIR}/golden/${name}.json)
endforeach()
find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_test(NAME golden_reports_match_schema
	COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/golden/check_report.py
		${PROJECT_SOURCE_DIR}/docs/report.schema.json ${reports})
set_tests_properties(golden_reports_match_schema PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 60)
