using System.Text.Json;
using Dure.Functions.Worker;
using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>
/// TypeScript becomes JavaScript at deploy, without type checks (that is the editor's and CI's work): by the <c>typescript</c> package of the
/// function, else by this machine's, else by its <c>esbuild</c>; else Node.js strips the types itself when it can.
/// </summary>
internal static class TypeScript
{
    private const string StripTest = "process.exit(typeof require('node:module').stripTypeScriptTypes === 'function' ? 0 : 1)";

    private static readonly string[] s_systemPackages = ["/usr/share/nodejs/typescript", "/usr/lib/node_modules/typescript", "/usr/local/lib/node_modules/typescript"];

    /// <summary>Compiles file by file beside the sources (/out is laid over /code); .ts becomes .js, .mts .mjs, .cts .cjs, also in imports.</summary>
    private const string Transpile = """
        const fs = require('node:fs'), path = require('node:path');
        const ts = require(process.argv[1]);
        const isTs = f => /\.[cm]?ts$/.test(f) && !/\.d\.[cm]?ts$/.test(f);
        const toJs = f => f.replace(/\.([cm]?)ts$/, '.$1js');
        let type = 'commonjs';
        try { type = JSON.parse(fs.readFileSync('/code/package.json', 'utf8')).type || type; } catch {}
        const rewrite = context => root => {
          const fix = s => s && ts.isStringLiteral(s) && /^\.{1,2}\//.test(s.text) && isTs(s.text) ? ts.factory.createStringLiteral(toJs(s.text)) : s;
          const visit = n => {
            if (ts.isImportDeclaration(n) || ts.isExportDeclaration(n)) Object.assign(n, { moduleSpecifier: fix(n.moduleSpecifier) });
            else if (ts.isCallExpression(n) && n.arguments.length && (n.expression.kind === ts.SyntaxKind.ImportKeyword || n.expression.escapedText === 'require'))
              n = ts.factory.updateCallExpression(n, n.expression, n.typeArguments, [fix(n.arguments[0]), ...n.arguments.slice(1)]);
            return ts.visitEachChild(n, visit, context);
          };
          return ts.visitNode(root, visit);
        };
        let failed = false;
        const walk = folder => {
          for (const e of fs.readdirSync('/code/' + folder, { withFileTypes: true })) {
            const file = path.posix.join(folder, e.name);
            if (e.isDirectory() && e.name !== 'node_modules' && e.name !== '.dure') walk(file);
            else if (e.isFile() && isTs(file) && !fs.existsSync('/code/' + toJs(file))) {
              const esm = file.endsWith('.mts') || (file.endsWith('.ts') && type === 'module');
              const out = ts.transpileModule(fs.readFileSync('/code/' + file, 'utf8'), {
                fileName: file, reportDiagnostics: true, transformers: { after: [rewrite] },
                compilerOptions: { module: esm ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true, inlineSourceMap: true, inlineSources: true },
              });
              for (const d of out.diagnostics || []) {
                const at = d.file && d.start !== undefined ? ts.getLineAndCharacterOfPosition(d.file, d.start) : { line: 0, character: 0 };
                console.log(`${file}:${at.line + 1}:${at.character + 1}: error: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`);
                failed = true;
              }
              fs.mkdirSync(path.dirname('/out/' + file), { recursive: true });
              fs.writeFileSync('/out/' + toJs(file), out.outputText);
            }
          }
        };
        walk('');
        process.exit(failed ? 1 : 0);
        """;

    /// <summary>In what esbuild bundles, what CommonJS has is there as well.</summary>
    private const string Banner =
        "import { createRequire as dureRequire } from 'node:module'; import { fileURLToPath as durePath } from 'node:url'; "
        + "const require = dureRequire(import.meta.url), __filename = durePath(import.meta.url), __dirname = durePath(new URL('.', import.meta.url));";

    public static bool Is(string file) => Path.GetExtension(file) is ".ts" or ".mts" or ".cts";

    public static async Task<Problem?> CompileAsync(BuildScene scene, DetectedRuntime detected, string? deps, CancellationToken cancel)
    {
        await scene.SayAsync("compiling TypeScript");
        var output = scene.NewFolder("typescript");
        List<SandboxMount> mounts = [scene.Code(), new(output, "/out", true)];
        if (deps is not null)
            mounts.Add(new(deps, "/deps", false));
        if (Command(scene, detected, deps) is not { } command)
            return await StripsItselfAsync(scene, detected, cancel);
        var ended = await scene.RunAsync(command, mounts, [], cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        if (ended.Value.Code != 0)
            return CompilerOutput.Problem(scene.Lines, "TypeScript", ended.Value);
        BuildFiles.TakeBack(output, scene.Options);
        BuildFiles.Overlay(output, scene.Source.Root);
        return NodeBuild.MissingHandler(await File.ReadAllTextAsync(scene.HostPath(detected.EntryFile!), cancel), detected);
    }

    private static string[]? Command(BuildScene scene, DetectedRuntime detected, string? deps)
    {
        var node = BuildTool.Node.Find()!;
        var package = scene.Has("node_modules/typescript/package.json") ? "/code/node_modules/typescript"
            : deps is not null && Directory.Exists(Path.Combine(deps, "node_modules/typescript")) ? "/deps/node_modules/typescript"
            : s_systemPackages.FirstOrDefault(Directory.Exists);
        if (package is not null)
            return [node, "-e", Transpile, package];
        if (BuildTool.Esbuild.Find() is not { } esbuild)
            return null;
        var entry = detected.EntryFile!;
        var outfile = "/out/" + entry[..^Path.GetExtension(entry).Length] + ".mjs";
        return [esbuild, "/code/" + entry, "--bundle", "--platform=node", "--packages=external", "--format=esm", "--log-level=warning", "--color=false",
            "--sourcemap=inline", "--banner:js=" + Banner, "--outfile=" + outfile];
    }

    private static async Task<Problem?> StripsItselfAsync(BuildScene scene, DetectedRuntime detected, CancellationToken cancel)
    {
        var ended = await scene.RunAsync([BuildTool.Node.Find()!, "-e", StripTest], [], [], quiet: true, at: "/tmp", cancel: cancel);
        if (!ended.Ok)
            return ended.Problem;
        return ended.Value.Code == 0
            ? NodeBuild.MissingHandler(await File.ReadAllTextAsync(scene.HostPath(detected.EntryFile!), cancel), detected)
            : DeployErrors.ToolMissing.With(
                $"{detected.EntryFile} is TypeScript, and Node.js {await BuildTool.Node.VersionAsync(cancel)} cannot run it as it is. "
                + "Add \"typescript\" to the dependencies in package.json, or install a compiler on this machine: sudo apt-get install esbuild");
    }
}
