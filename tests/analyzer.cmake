foreach(test account lecture)
	classify_unit_test(${test} SOURCES unit/observation_builder.c DEPENDS classify_analyzer)
endforeach()
