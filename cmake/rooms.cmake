# Rooms and the arrows between them: a room is compiled with an include path to itself
# and to the doors of the rooms it names, so no other #include can be found.
#
#   build/inside/<room>/  links to all headers of the room, seen by the room alone
#   build/doors/<room>/   links to its door headers, seen by who names the room

add_custom_target(headers) # every header compiled alone

# Fill <folder>/<name>/ with links to <headers> of <from>.
function(zl_link_headers folder name from headers)
  file(REMOVE_RECURSE ${folder})
  file(MAKE_DIRECTORY ${folder}/${name})
  foreach(header IN LISTS headers)
    file(CREATE_LINK ${from}/${header} ${folder}/${name}/${header} SYMBOLIC)
  endforeach()
endfunction()

# zl_room(<name> DOOR <headers> [PUBLIC <rooms>] [PRIVATE <rooms, libraries>])
# A static library of all .c files here. <name> is how the folder is spelled in an
# #include ("store" for "store/store.h"; "zone/xds" for "zone/xds/xds.h"). PUBLIC: what
# door headers include; PRIVATE: what only .c files include. What is named must exist
# already, so no circle can arise.
function(zl_room name)
  cmake_parse_arguments(ROOM "" "" "DOOR;PUBLIC;PRIVATE" ${ARGN})
  string(REPLACE "/" "_" room ${name})
  set(here ${CMAKE_CURRENT_SOURCE_DIR})
  set(inside ${CMAKE_BINARY_DIR}/inside/${room})
  set(door ${CMAKE_BINARY_DIR}/doors/${room})
  file(GLOB sources CONFIGURE_DEPENDS ${here}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${here} ${here}/*.h)

  if(ROOM_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "room ${name}: what is ${ROOM_UNPARSED_ARGUMENTS}?")
  endif()
  foreach(used IN LISTS ROOM_PUBLIC ROOM_PRIVATE)
    if(NOT TARGET ${used})
      message(FATAL_ERROR "room ${name} names ${used}, which does not stand above it")
    endif()
  endforeach()
  foreach(header IN LISTS ROOM_DOOR)
    if(NOT header IN_LIST headers)
      message(FATAL_ERROR "room ${name} has no ${header}")
    endif()
  endforeach()

  zl_link_headers(${inside} ${name} ${here} "${headers}")
  zl_link_headers(${door} ${name} ${here} "${ROOM_DOOR}")

  add_library(${room} STATIC ${sources} ${room}.straight)
  set_target_properties(${room} PROPERTIES OUTPUT_NAME zl_${room})
  target_include_directories(${room} PRIVATE ${inside} INTERFACE ${door})
  target_link_libraries(${room} PUBLIC ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE} zl_flags)

  # A path that climbs out of the room would get round the doors.
  list(TRANSFORM headers PREPEND ${here}/ OUTPUT_VARIABLE paths)
  add_custom_command(OUTPUT ${room}.straight DEPENDS ${sources} ${paths} VERBATIM
    COMMAND sh -c "! grep -HnE '^[ \t]*#[ \t]*include.*([.][.]/|[<\"]/)' \"$@\"" straight
            ${sources} ${paths}
    COMMAND ${CMAKE_COMMAND} -E touch ${room}.straight
    COMMENT "No #include in ${name} climbs out of it")

  zl_headers_alone(${room} ${name} "${headers}" "${ROOM_DOOR}" ${inside})
endfunction()

# Compile each header alone, and twice, from a generated .c file: as a main file it would
# be warned about #pragma once. Door headers are compiled as others see them, the other
# ones as the room does.
function(zl_headers_alone room name headers door inside)
  set(alone_door "")
  set(alone_inside "")
  foreach(header IN LISTS headers)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/alone/${room}/${header}.c)
    set(line "#include \"${name}/${header}\"\n")
    file(CONFIGURE OUTPUT ${file} CONTENT "${line}${line}" @ONLY)
    if(header IN_LIST door)
      list(APPEND alone_door ${file})
    else()
      list(APPEND alone_inside ${file})
    endif()
  endforeach()
  if(alone_door)
    add_library(${room}_headers OBJECT ${alone_door})
    target_link_libraries(${room}_headers PRIVATE ${room} zl_flags)
    add_dependencies(headers ${room}_headers)
  endif()
  if(alone_inside)
    add_library(${room}_inside_headers OBJECT ${alone_inside})
    target_include_directories(${room}_inside_headers PRIVATE ${inside})
    target_link_libraries(${room}_inside_headers PRIVATE ${room} ${ROOM_PRIVATE} zl_flags)
    add_dependencies(headers ${room}_inside_headers)
  endif()
endfunction()

# zl_fence(<library> <header> <pkg-config module>): a system library that only the rooms
# which name it may include. The others find, before the system's header, one that
# refuses.
function(zl_fence library header module)
  pkg_check_modules(${library} REQUIRED IMPORTED_TARGET ${module})
  string(TOUPPER ZL_MAY_USE_${library} word)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/fence/${header} @ONLY CONTENT
"#pragma GCC system_header
#ifndef @word@
#error \"this room does not name @library@, so it may not include @header@\"
#endif
#include_next <@header@>
")
  add_library(${library} INTERFACE)
  target_compile_definitions(${library} INTERFACE ${word})
  target_link_libraries(${library} INTERFACE PkgConfig::${library})
endfunction()

# zl_proto(<name>): proto/<name>.proto as library proto_<name>, for
# #include "proto/<name>.pb-c.h". Generated code keeps its own warnings.
function(zl_proto name)
  set(gen ${CMAKE_BINARY_DIR}/gen/${name})
  file(MAKE_DIRECTORY ${gen}/proto)
  add_custom_command(OUTPUT ${gen}/proto/${name}.pb-c.c ${gen}/proto/${name}.pb-c.h
    COMMAND ${PROTOC_C} --c_out=${gen}/proto -I${PROJECT_SOURCE_DIR}/proto
            ${PROJECT_SOURCE_DIR}/proto/${name}.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/proto/${name}.proto VERBATIM)
  add_library(proto_${name} STATIC ${gen}/proto/${name}.pb-c.c ${gen}/proto/${name}.pb-c.h)
  target_include_directories(proto_${name} SYSTEM PUBLIC ${gen})
  target_link_libraries(proto_${name} PUBLIC PkgConfig::protobuf_c)
  if(ZL_SANITIZE)
    target_compile_options(proto_${name} PRIVATE -fsanitize=${ZL_SANITIZE})
  endif()
endfunction()
