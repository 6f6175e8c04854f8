using Dure.Apps.Adopting;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Apps.Adopting;

/// <summary>What hand-made units say of an app: where it listens, and how it is started on another port.</summary>
public sealed class UnitReaderTest
{
    private static FoundUnit? Read(string service, string name = "paper-attention.service") =>
        UnitReader.Read(name, "/etc/systemd/system/" + name, $"# /etc/systemd/system/{name}\n[Unit]\nDescription=A paper\n[Service]\n{service}\n[Install]\nWantedBy=multi-user.target\n",
            user => user == "ada" ? "/home/ada" : null);

    [Fact]
    public void A_marimo_notebook_is_understood()
    {
        using var scratch = new Scratch();
        var folder = Path.Combine(Directory.CreateDirectory(scratch["attention"]).FullName);
        Directory.CreateDirectory(Path.Combine(folder, ".venv", "bin"));
        File.WriteAllText(Path.Combine(folder, ".venv", "pyvenv.cfg"), "home = /usr/bin\n");
        var unit = Read($"User=ada\nWorkingDirectory={folder}\nEnvironment=THEME=dark\nExecStart={folder}/.venv/bin/marimo run {folder}/paper.py --headless \\\n  --host 0.0.0.0 --port 27003 --base-url /thesis/attention")!;
        Assert.Empty(unit.Obstacles);
        Assert.Equal((27003, folder, "ada", "attention"), (unit.Port, unit.Folder, unit.User, unit.Id));
        Assert.Equal($"exec {folder}/.venv/bin/marimo run paper.py --headless --host \"$HOST\" --port \"$PORT\" --base-url /thesis/attention", unit.Spec!.Command);
        Assert.Equal(("marimo", "health", folder + "/.venv", "dark"), (unit.Spec.Kind, unit.Spec.Health, unit.Spec.VirtualEnvironment, unit.Spec.Variables["THEME"]));
    }

    [Theory]
    [InlineData("ExecStart=/usr/bin/python3 serve.py\nEnvironment=PORT=27900 BASE_PATH=/papers/byhand \"GREETING=good day\"", 27900, "exec /usr/bin/python3 serve.py")]
    [InlineData("ExecStart=/usr/bin/python3 serve.py --port=${PORT}\nEnvironment=PORT=27900", 27900, "exec /usr/bin/python3 serve.py --port=\"$PORT\"")]
    [InlineData("ExecStart=/usr/bin/serve -p 27005 'two words' ${GREETING}x $GREETING\nEnvironment=GREETING=hello", 27005, "exec /usr/bin/serve -p \"$PORT\" 'two words' \"${GREETING}\"x $GREETING")]
    [InlineData("ExecStart=/usr/bin/gunicorn -w 2 -b 0.0.0.0:27006 app:app", 27006, "exec /usr/bin/gunicorn -w 2 -b \"$HOST:$PORT\" app:app")]
    [InlineData("ExecStart=/usr/bin/python3 -m http.server 27007 --bind 0.0.0.0", 27007, "exec /usr/bin/python3 -m http.server \"$PORT\" --bind \"$HOST\"")]
    [InlineData("ExecStart=/usr/bin/streamlit run app.py\nEnvironment=STREAMLIT_SERVER_PORT=27008", 27008, "export STREAMLIT_SERVER_PORT=\"$PORT\"\nexec /usr/bin/streamlit run app.py")]
    [InlineData("ExecStart=/usr/bin/jupyter server --ServerApp.ip=0.0.0.0 --ServerApp.port=27009", 27009, "exec /usr/bin/jupyter server --ServerApp.ip=\"$HOST\" --ServerApp.port=\"$PORT\"")]
    [InlineData("ExecStart=/bin/old --port 1\nExecStart=\nExecStart=/srv/attention/run.sh --port 27010", 27010, "exec ./run.sh --port \"$PORT\"")]
    [InlineData("ExecStart=/usr/bin/serve --transport 3 --port 27011 --note 50%%", 27011, "exec /usr/bin/serve --transport 3 --port \"$PORT\" --note 50%")]
    public void Every_way_to_say_a_port_becomes_the_one_that_is_given(string service, int port, string command)
    {
        var unit = Read("WorkingDirectory=/srv/attention\n" + service)!;
        Assert.Equal((port, command), (unit.Port!.Value, unit.Spec!.Command));
        Assert.Empty(unit.Obstacles);
        Assert.DoesNotContain("PORT", unit.Spec.Variables.Keys);
        Assert.DoesNotContain("BASE_PATH", unit.Spec.Variables.Keys);
    }

    [Theory]
    [InlineData("WorkingDirectory=/srv/a\nExecStart=/usr/bin/marimo run paper.py", "which port")]
    [InlineData("ExecStart=/usr/bin/serve --port 27003", "no WorkingDirectory")]
    [InlineData("User=ada\nWorkingDirectory=~\nExecStart=/usr/bin/serve --port 27003", "no WorkingDirectory")]
    [InlineData("User=ada\nWorkingDirectory=%h\nExecStart=/usr/bin/serve --port 27003", "more than one app")]
    [InlineData("WorkingDirectory=/srv/a\nType=forking\nExecStart=/usr/bin/serve --port 27003", "Type=forking")]
    [InlineData("WorkingDirectory=/srv/a\nExecStart=@/usr/bin/serve other --port 27003", "another name")]
    [InlineData("WorkingDirectory=/srv/a\nExecStart=/home/ada/miniconda3/bin/marimo run a.py --port 27003", "does not see it")]
    [InlineData("WorkingDirectory=/srv/a\nExecStart=/usr/bin/serve --port 27003 --run %t", "%t in it is not understood")]
    public void What_stands_in_the_way_is_told(string service, string says) => Assert.Contains(Read(service)!.Obstacles, what => what.Contains(says, StringComparison.Ordinal));

    [Fact]
    public void What_serves_nothing_is_none_and_what_does_not_go_along_is_noted()
    {
        Assert.Null(Read("ExecStart=/usr/bin/rsync -a /srv /backup", "backup.service"));
        Assert.Null(Read("WorkingDirectory=/srv/a"));
        var unit = Read("WorkingDirectory=/srv/a\nMemoryMax=2G\nEnvironmentFile=-/etc/attention.env\nExecStart=/usr/bin/serve --port 27003", "paper@%i.service".Replace("%i", "deep", StringComparison.Ordinal))!;
        Assert.Contains("MemoryMax= of the unit does not go along", unit.Notes);
        Assert.Equal("-/etc/attention.env", Assert.Single(unit.EnvironmentFiles));
        Assert.Equal("deep", unit.Id);
    }
}
