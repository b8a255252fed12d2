"""The grammar of Python 3.13 (reference, section 10), written so that one token decides.

Quoted words are kinds of tokens (`transforms.parse.tokens`), bare ones rules. Since no tree
is built, operators need no precedence beyond what decides whether a text is Python. What
a context-free grammar cannot say (what may be assigned to, the order of arguments and
parameters) is decided by a rule's role in `transforms.parse.recognizer`. ``match``, ``case``,
``type`` and a ``with`` with parentheses need more than a token: `WITH_ROUND` and the kinds of
soft keywords stand in the grammar only where the recognizer has looked ahead.
"""

from __future__ import annotations

GRAMMAR = """
file: statement* END
statement: line | if | while | for | try | with | function | class | decorated | async | match
line: small (';' small)* [';'] NEWLINE
small: expression | del | flow | return | raise | names | import | from | assert | alias
block: line | NEWLINE INDENT statement+ DEDENT

expression: yield | values (':' annotation | AUGMENT (yield | values) | ('=' (yield | values))*)
annotation: test ['=' (yield | values)]
del: 'del' deleted
flow: 'pass' | 'break' | 'continue'
return: 'return' [values]
raise: 'raise' [test ['from' test]]
names: ('global' | 'nonlocal') NAME (',' NAME)*
import: 'import' module (',' module)*
module: NAME ('.' NAME)* ['as' NAME]
from: 'from' (('.' | '...')* path | ('.' | '...')+) 'import' imported
path: NAME ('.' NAME)*
imported: '*' | '(' member (',' member)* [','] ')' | member (',' member)*
member: NAME ['as' NAME]
assert: 'assert' test [',' test]
alias: 'type' NAME [generics] '=' test

if: 'if' named ':' block ('elif' named ':' block)* ['else' ':' block]
while: 'while' named ':' block ['else' ':' block]
for: 'for' targets 'in' values ':' block ['else' ':' block]
try: 'try' ':' block (handlers ['else' ':' block] ['finally' ':' block] | 'finally' ':' block)
handlers: ('except' [test ['as' NAME]] ':' block)+ | ('except' '*' test ['as' NAME] ':' block)+
with: 'with' (WITH_ROUND [manager (',' manager)* [',']] ')' | item (',' item)*) ':' block
item: test ['as' target]
manager: yield | (named | starred) [comprehension] ['as' target]
function: 'def' NAME [generics] '(' [parameters] ')' ['->' test] ':' block
class: 'class' NAME [generics] ['(' [bases] ')'] ':' block
bases: base (',' base)* [',']
base: test ['=' test | ':=' test] | '*' test | '**' test
decorated: ('@' named NEWLINE)+ (class | function | 'async' function)
async: 'async' (function | with | for)
generics: '[' generic (',' generic)* [','] ']'
generic: NAME [':' test] ['=' test] | '*' NAME ['=' (test | starred)] | '**' NAME ['=' test]

match: 'match' subject ':' NEWLINE INDENT case+ DEDENT
subject: (named | starred) (',' (named | starred))* [',']
case: 'case' sequence ['if' named] ':' block
sequence: pattern (',' (pattern | '*' NAME))* [',']
  | '*' NAME ',' [(pattern | '*' NAME) (',' (pattern | '*' NAME))* [',']]
patterns: (pattern | '*' NAME) (',' (pattern | '*' NAME))* [',']
pattern: closed ('|' closed)* ['as' NAME]
closed: literal | NAME ('.' NAME)* ['(' [fields] ')'] | '(' [sequence] ')' | '[' [patterns] ']'
  | '{' [pairs] '}'
literal: ['-'] NUMBER [('+' | '-') NUMBER] | strings | 'None' | 'True' | 'False'
fields: field (',' field)* [',']
field: pattern ['=' pattern]
pairs: pair (',' pair)* [',']
pair: (literal | NAME ('.' NAME)+) ':' pattern | '**' NAME

values: (test | starred) (',' (test | starred))* [',']
targets: (operand | starred) (',' (operand | starred))* [',']
deleted: operand (',' operand)* [',']
target: operand
starred: '*' operand
yield: 'yield' ['from' test | values]
named: test [':=' test]
test: lambda | choice ('if' choice 'else' choice)* ['if' choice 'else' lambda]
lambda: 'lambda' [lambda_parameters] ':' test
choice: 'not'* operand (('and' | 'or') 'not'* operand
  | (COMPARE | 'in' | 'not' 'in' | 'is' ['not']) operand)*
operand: ('+' | '-' | '~')* ['await'] primary
  ((BINARY | '|' | '+' | '-' | '*' | '/' | '@' | '**') ('+' | '-' | '~')* ['await'] primary)*
primary: atom trailer*
trailer: '(' [arguments] ')' | '[' subscripts ']' | '.' NAME
atom: NAME | NUMBER | strings | '...' | 'None' | 'True' | 'False'
  | '(' [group] ')' | '[' [items] ']' | '{' [braces] '}'
group: yield | (named | starred) (comprehension | (',' (named | starred))* [','])
items: (named | starred) (comprehension | (',' (named | starred))* [','])
braces: named (':' test (comprehension | (',' entry)* [',']) | comprehension | (',' element)* [','])
  | '**' operand (',' entry)* [','] | starred (',' element)* [',']
entry: test ':' test | '**' operand
element: named | starred
comprehension: (['async'] 'for' targets 'in' choice ('if' choice)*)+
subscripts: subscript (',' subscript)* [',']
subscript: '*' test | named [':' [test] [':' [test]]] | ':' [test] [':' [test]]
arguments: argument (',' argument)* [',']
argument: test ['=' test | ':=' test | comprehension] | '*' test | '**' test
parameters: parameter (',' parameter)* [',']
parameter: NAME [':' test] ['=' test] | '/' | '*' [NAME [':' (test | starred)]]
  | '**' NAME [':' test]
lambda_parameters: lambda_parameter (',' lambda_parameter)* [',']
lambda_parameter: NAME ['=' test] | '/' | '*' [NAME] | '**' NAME
strings: (STRING | formatted)+ | BYTES+
formatted: FSTART replacement* FEND
replacement: FOPEN (yield | values) ['='] [BANG NAME] [FCOLON replacement*] FCLOSE
"""
