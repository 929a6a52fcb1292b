# Targets: pagemate::pagemate provides pagemate.h and pagemate.hpp, pagemate::win32 provides <windows.h>.
# pagemate::static and pagemate::win32-static link the same libraries statically.

get_filename_component(pagemate_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

function(pagemate_add target kind library includes)
  if(TARGET "${target}")
    return()
  endif()
  add_library("${target}" "${kind}" IMPORTED)
  set_target_properties("${target}" PROPERTIES
    IMPORTED_LOCATION "${pagemate_prefix}/lib/${library}"
    INTERFACE_INCLUDE_DIRECTORIES "${pagemate_prefix}/${includes}")
  if(kind STREQUAL "SHARED")
    set_target_properties("${target}" PROPERTIES IMPORTED_SONAME "${library}.@INTERFACE@")
  else()
    set_target_properties("${target}" PROPERTIES INTERFACE_LINK_LIBRARIES "@STATIC_LIBS@")
  endif()
endfunction()

pagemate_add(pagemate::pagemate SHARED libpagemate.so include)
pagemate_add(pagemate::static STATIC libpagemate.a include)
pagemate_add(pagemate::win32 SHARED libpagemate_win32.so include/pagemate/win32)
pagemate_add(pagemate::win32-static STATIC libpagemate_win32.a include/pagemate/win32)

set(pagemate_FOUND TRUE)
