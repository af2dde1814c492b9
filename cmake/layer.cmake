# A layer is one static library with its own include directory and only its declared dependencies.
# A static library alone doesn't notice an upward call, so each layer is also linked whole, with
# only what it may depend on: layer_check_<name> fails to link when the layering is broken.
#
# classify_layer(NAME INCLUDE <dir> SOURCES ... [DEPENDS ...])
function(classify_warnings target)
	target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes
		-Wstrict-prototypes -Wconversion -Wno-sign-conversion)
	if(CLASSIFY_WERROR)
		target_compile_options(${target} PRIVATE -Werror)
	endif()
	if(CLASSIFY_SANITIZE)
		target_compile_options(${target} PRIVATE -fsanitize=address,undefined
			-fno-sanitize-recover=all)
		target_link_options(${target} PRIVATE -fsanitize=address,undefined)
	endif()
endfunction()

function(classify_layer name)
	cmake_parse_arguments(LAYER "" "INCLUDE" "SOURCES;DEPENDS" ${ARGN})
	add_library(classify_${name} STATIC ${LAYER_SOURCES})
	target_include_directories(classify_${name} PUBLIC ${LAYER_INCLUDE})
	target_compile_definitions(classify_${name} PRIVATE _GNU_SOURCE)
	target_link_libraries(classify_${name} PUBLIC ${LAYER_DEPENDS})
	classify_warnings(classify_${name})

	set(main_c ${CMAKE_BINARY_DIR}/layer_check_main.c)
	if(NOT EXISTS ${main_c})
		file(WRITE ${main_c} "int main(void)\n{\n\treturn 0;\n}\n")
	endif()
	add_executable(layer_check_${name} ${main_c})
	classify_warnings(layer_check_${name})
	target_link_libraries(layer_check_${name} PRIVATE
		-Wl,--whole-archive $<TARGET_FILE:classify_${name}> -Wl,--no-whole-archive
		${LAYER_DEPENDS})
	add_dependencies(layer_check_${name} classify_${name})
endfunction()
