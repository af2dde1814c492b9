# cmake -DINPUT=file -DOUTPUT=file.c -DHEADER=header -DSYMBOL=name -P embed.cmake
# Turns a file into a NUL-terminated C array.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n\t" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nconst char ${SYMBOL}[] = {\n\t${bytes}0x00,\n};\n")
