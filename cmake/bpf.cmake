# BPF objects and their skeletons, in the build tree. The compiler and bpftool are needed to build
# only: the object is embedded in the library by its skeleton.
find_program(BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14
	REQUIRED DOC "clang with the bpf target")
# Ubuntu's bpftool in PATH is a script that serves no kernel but Ubuntu's: look behind it first.
file(GLOB kernel_tools /usr/lib/linux-tools-*)
find_program(BPFTOOL NAMES bpftool HINTS ${kernel_tools} /usr/sbin /usr/local/sbin REQUIRED)

string(REGEX REPLACE "x86_64|amd64|AMD64" "x86" bpf_arch ${CMAKE_SYSTEM_PROCESSOR})
string(REGEX REPLACE "aarch64" "arm64" bpf_arch ${bpf_arch})

# bpf_skeleton(TARGET name.bpf.c): <binary dir>/name.skel.h, remade when any included header changes.
function(bpf_skeleton target source)
	get_filename_component(name ${source} NAME)
	string(REPLACE ".bpf.c" "" name ${name})
	set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
	set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
	pkg_get_variable(libbpf_include libbpf includedir)
	add_custom_command(
		OUTPUT ${object}
		COMMAND ${BPF_CLANG} -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_${bpf_arch}
			-Wall -Wextra -Werror -Wno-unused-parameter
			-I${PROJECT_SOURCE_DIR}/bpf/ebpf -isystem ${libbpf_include}
			-MD -MT ${object} -MF ${object}.d
			-c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
		DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
		DEPFILE ${object}.d
		COMMENT "BPF ${name}"
		VERBATIM)
	add_custom_command(
		OUTPUT ${skeleton}
		COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
		DEPENDS ${object}
		COMMENT "skeleton ${name}"
		VERBATIM)
	target_sources(${target} PRIVATE ${skeleton})
	target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
