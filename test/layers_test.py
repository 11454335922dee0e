#!/usr/bin/env python3
"""Plants one violation at a time in a small clean tree and sees layers.py find it."""

import tempfile
import unittest
from pathlib import Path

import layers

CLEAN = {
    "dialect/GlmDialect.h": '#pragma once\n#include "mlir/IR/Dialect.h"\n#include <vector>\n',
    "passes/model/FuseDequant.cpp": '#include "dialect/GlmDialect.h"\n#include "dialect/GlmOps.h.inc"\n',
    "codegen/target/Target.cpp": 'const char *name = "sm" "_120a"; // sm' + "_120a\n",
    "codegen/emit/Emit.cpp": '#include "runtime/artifact/Manifest.h"\n',
    "codegen/pipeline/Pipeline.cpp": '#include "codegen/emit/Emit.h"\n#include "passes/model/Passes.h"\n',
    "runtime/artifact/Manifest.h": "#pragma once\n#include <string>\n",
    "runtime/exec/Engine.cpp": '#include "runtime/memory/Arena.h"\n',
    "frontend/glm-compile/Main.cpp": '#include "codegen/pipeline/Pipeline.h"\n#include "frontend/import/Import.h"\n',
    "test/numerics/Reference.cpp": '#include "runtime/exec/Engine.h"\n',
}


class LayersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path, text in CLEAN.items():
            self.write(path, text)
            for needed in ("CMakeLists.txt", "README.md"):
                self.write(str(Path(path).parent / needed), "a room\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def expectOne(self, start, *words):
        findings = list(layers.check(self.root))
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(start), findings)
        for word in words:
            self.assertIn(word, findings[0])

    def testCleanTreeHasNoFinding(self):
        self.assertEqual(list(layers.check(self.root)), [])

    def testRuntimeIncludesMlir(self):
        self.write("runtime/exec/Engine.cpp", '#include <atomic>\n#include "mlir/IR/Builders.h"\n')
        self.expectOne("runtime/exec/Engine.cpp:2:", "LLVM or MLIR")

    def testRuntimeIncludesLlvmInBrackets(self):
        self.write("runtime/exec/Engine.cpp", "#include <llvm/ADT/SmallVector.h>\n")
        self.expectOne("runtime/exec/Engine.cpp:1:", "LLVM or MLIR")

    def testRuntimeIncludesCompileSide(self):
        self.write("runtime/exec/Engine.cpp", '#include "dialect/GlmDialect.h"\n')
        self.expectOne("runtime/exec/Engine.cpp:1:", "must not include dialect")

    def testLowerRoomIncludesUpperRoom(self):
        self.write("runtime/artifact/Manifest.h", '#pragma once\n#include "runtime/exec/Engine.h"\n')
        self.expectOne("runtime/artifact/Manifest.h:2:", "must not include runtime/exec")

    def testPassIncludesCodegen(self):
        self.write("passes/model/FuseDequant.cpp", '#include "codegen/target/Target.h"\n')
        self.expectOne("passes/model/FuseDequant.cpp:1:", "must not include codegen/target")

    def testCompilerMainIncludesAPassDirectly(self):
        self.write("frontend/glm-compile/Main.cpp", '#include "passes/model/Passes.h"\n')
        self.expectOne("frontend/glm-compile/Main.cpp:1:", "must not include passes/model")

    def testTablegenIncludesAreEdgesToo(self):
        self.write("dialect/Glm.td", 'include "mlir/IR/OpBase.td"\ninclude "passes/model/Passes.td"\n')
        self.expectOne("dialect/Glm.td:2:", "must not include passes/model")

    def testIncludeBesideTheFile(self):
        self.write("passes/model/FuseDequant.cpp", '#include "Remarks.h"\n')
        self.expectOne("passes/model/FuseDequant.cpp:1:", "start at the root")

    def testChipNameOutsideTarget(self):
        self.write("codegen/emit/Emit.cpp", 'bool fast = chip == "sm' + '_120a";\n')
        self.expectOne("codegen/emit/Emit.cpp:1:", "name chips")

    def testRoomWithoutReadme(self):
        (self.root / "codegen/emit/README.md").unlink()
        self.expectOne("codegen/emit:", "README.md")

    def testRoomWithoutCMakeLists(self):
        (self.root / "test/numerics/CMakeLists.txt").unlink()
        self.expectOne("test/numerics:", "CMakeLists.txt")

    def testUnknownRoom(self):
        for name, text in (("Wgmma.cpp", "int x;\n"), ("README.md", "a room\n"), ("CMakeLists.txt", "\n")):
            self.write("codegen/wgmma/" + name, text)
        self.expectOne("codegen/wgmma:", "row in test/layers.py")

    def testLongFile(self):
        self.write("dialect/ModelOps.cpp", "int x;\n" * 800)
        self.assertEqual(list(layers.check(self.root)), [])
        self.write("dialect/ModelOps.cpp", "int x;\n" * 801)
        self.expectOne("dialect/ModelOps.cpp:", "at most 800 lines", "found 801")

    def testSleepingNote(self):
        self.write("dialect/ModelOps.cpp", "int x;\n// TO" + "DO: the rest\n")
        self.expectOne("dialect/ModelOps.cpp:2:", "done or left out")

    def testPrivatePath(self):
        self.write("test/README.md", "see /ho" + "me/someone/notes\n")
        self.expectOne("test/README.md:1:", "one machine")

    def testHeaderWithoutPragma(self):
        self.write("runtime/artifact/Manifest.h", "#include <string>\n")
        self.expectOne("runtime/artifact/Manifest.h:", "#pragma once")

    def testRoomThatAttractsEverything(self):
        self.write("dialect/utils/notes.md", "things\n")
        self.expectOne("dialect/utils:", "first caller")

    def testBuildFolderIsNotRead(self):
        self.write("build/release/Generated.h", "// TO" + "DO\n")
        self.assertEqual(list(layers.check(self.root)), [])


if __name__ == "__main__":
    unittest.main()
