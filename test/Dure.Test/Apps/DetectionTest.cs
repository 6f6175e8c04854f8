using Dure.Apps;
using Dure.Apps.Detect;
using Dure.Apps.Running;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps;

/// <summary>What is recognised in a folder, what app.yaml says instead, and what systemd is told.</summary>
public sealed class DetectionTest : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_marimo_notebook_is_served_from_its_projects_own_environment()
    {
        Write("paper.py", "import marimo\n\napp = marimo.App(width=\"full\")\n");
        Write("notes.py", "print('marimo.App(')\n");
        Write(".venv/pyvenv.cfg", "home = /usr/bin\n");
        Write(".venv/bin/marimo", "");
        var spec = Found("paper.py");
        Assert.Equal((AppSpec.Marimo, "health", _scratch[".venv"]), (spec.Kind, spec.Health, spec.VirtualEnvironment));
        Assert.Equal($"exec {_scratch[".venv"]}/bin/marimo run --headless --no-token --host \"$HOST\" --port \"$PORT\" --base-url \"$BASE_PATH\" paper.py", spec.Command);
        Assert.Equal(spec.Command, Found("").Command);
    }

    [Fact]
    public void A_notebook_of_Jupyter_is_served_by_what_shows_pages_where_there_is_such_a_thing()
    {
        Write("study.ipynb", "{}");
        Write(".venv/pyvenv.cfg", "home = /usr/bin\n");
        foreach (var (tool, served) in new[]
        {
            ("jupyter-server", "jupyter-server --no-browser --ServerApp.ip="), ("jupyter-notebook", "jupyter-notebook --no-browser --NotebookApp.ip="), ("jupyter-lab", "jupyter-lab --no-browser --ServerApp.ip="),
            ("voila", "voila --no-browser --Voila.ip="),
        })
        {
            Write(".venv/bin/" + tool, "");
            Assert.StartsWith($"exec {_scratch[".venv"]}/bin/{served}", Found("").Command, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Folders_and_commands_are_served_and_what_nobody_knows_is_refused()
    {
        Assert.Equal("DURE0904", Problem(""));
        Write("site/index.html", "<p>");
        Assert.Equal((AppSpec.Static, "exec \"$DURE_PROGRAM\" apps serve site"), (Found("").Kind, Found("").Command));
        Write("app.yaml", "command: ./serve --port $PORT\nhealth: /up\nbase_path: strip\nmemory: 1GiB\nenvironment: {A: b}\n");
        var spec = Found("");
        Assert.Equal((AppSpec.Custom, "exec ./serve --port $PORT", "up", false, 1L << 30, "b"), (spec.Kind, spec.Command, spec.Health, spec.KeepsPrefix, spec.MemoryBytes, spec.Variables["A"]));
        Assert.Equal("DURE0906", Project.At(_scratch["nothing"]).Problem?.Kind.Id);
    }

    [Fact]
    public void Every_mistake_in_app_yaml_is_told_with_its_line()
    {
        var wrong = AppYaml.Parse("id: Not OK\nkind: marmo\nmemory: 3\ngpus: some\nenvironment: {PORT: 1}\nentry: ../x\ncomand: x\n");
        Assert.Equal(["app.yaml:1:5", "app.yaml:2:7", "app.yaml:3:9", "app.yaml:4:7", "app.yaml:5:15", "app.yaml:6:8", "app.yaml:7:1"],
            wrong.Problem!.Faults.Select(fault => fault.Where).Order(StringComparer.Ordinal));
        Assert.True(AppYaml.Parse(Dure.Apps.Commands.InitAppCommand.Text(new Project(_scratch["x"], "paper.py", false), new AppSpec(AppSpec.Marimo, "x"))).Ok);
    }

    [Fact]
    public void The_unit_of_a_version_shows_it_what_it_needs_and_nothing_else()
    {
        var spec = new AppSpec(AppSpec.Custom, "exec ./serve") { MemoryBytes = 1000, Gpus = "none", Variables = new Dictionary<string, string> { ["SAID"] = "50 % \"of\" $it" } };
        var unit = UnitFile.Of(new AppRun("paper", 3, spec, "/var/lib/dure/apps/paper/3", "/unused", "10.0.0.5", 27003, "/papers/paper"), ["/home/ada/.venv"]);
        Assert.Equal("paper-paper@3.service", UnitFile.NameOf("paper", 3));
        foreach (var line in new[]
        {
            "Environment=\"SAID=50 %% \\\"of\\\" $it\"", "Environment=\"PORT=27003\"", "Environment=\"BASE_PATH=/papers/paper\"", "DynamicUser=yes", "User=paper-paper", "ProtectHome=tmpfs",
            "BindReadOnlyPaths=\"/home/ada/.venv\"", "MemoryHigh=900", "MemoryMax=1000", "PrivateDevices=yes", "Restart=always", "WantedBy=multi-user.target",
        })
            Assert.Contains(line, unit.Split('\n'));
        Assert.Equal(31, UnitFile.UserOf("a-very-long-name-of-a-paper-on-attention").Length);
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch[path])!);
        File.WriteAllText(_scratch[path], text);
    }

    private AppSpec Found(string path)
    {
        var project = Project.At(_scratch[path]).Value;
        var found = Detection.Find(project, project.Settings().Value);
        Assert.True(found.Ok, found.Problem?.Detail);
        return found.Value;
    }

    private string? Problem(string path)
    {
        var project = Project.At(_scratch[path]).Value;
        return Detection.Find(project, project.Settings().Value).Problem?.Kind.Id;
    }
}
