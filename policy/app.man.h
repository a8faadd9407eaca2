/* SPDX-License-Identifier: MIT */
/* app.man.h -- turns apps.def into the list of programs of taffrail-policy(5).
 *
 *   cc -E -P -include policy/app.man.h -x c policy/apps.def
 *
 * prints a line a program, in the language of the page, which defines the macro Program:
 *
 *   .Program "llama-server" "the server of llama.cpp"
 */
#define APP(NAME, word, text) .Program word text
