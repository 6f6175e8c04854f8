using System.Globalization;

namespace Dure.Functions.Worker;

/// <summary>What <c>/proc</c> says about processes.</summary>
internal static class Processes
{
    /// <summary>The parent's id; 0 when the process is gone.</summary>
    public static int Parent(int pid)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/status"))
                if (line.StartsWith("PPid:", StringComparison.Ordinal)) return int.Parse(line.AsSpan(5).Trim(), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
        }

        return 0;
    }

    /// <summary>The process and all below it. Everything in a process namespace is below its first process.</summary>
    public static List<int> Tree(int root)
    {
        var found = new List<int>();
        if (root <= 0) return found;
        var left = new Stack<int>([root]);
        while (left.TryPop(out var pid) && found.Count < 100_000)
        {
            found.Add(pid);
            foreach (var child in Children(pid)) left.Push(child);
        }

        return found;
    }

    private static List<int> Children(int pid)
    {
        var folder = $"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/task";
        var children = new List<int>();
        try
        {
            foreach (var thread in Directory.EnumerateDirectories(folder))
                foreach (var word in File.ReadAllText(thread + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    children.Add(int.Parse(word, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
        }

        return children;
    }
}
