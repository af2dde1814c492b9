# The rules of the house: format, layers, length, and documents that are true of the program.
function(classify_policy_test name)
	add_test(NAME policy_${name}
		COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_${name}.sh
		WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
	set_tests_properties(policy_${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endfunction()

classify_policy_test(format)
classify_policy_test(layers)
classify_policy_test(length)
if(TARGET classify)
	classify_policy_test(docs)
	set_tests_properties(policy_docs PROPERTIES ENVIRONMENT "CLASSIFY=$<TARGET_FILE:classify>")
endif()
