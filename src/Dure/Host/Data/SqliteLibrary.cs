using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Dure.Host.Data;

/// <summary>Binds the SQLite provider to the distribution's library, which the distribution patches.</summary>
internal static class SqliteLibrary
{
    private static readonly Lock Gate = new();
    private static bool s_loaded;

    /// <summary>Loads it once; later calls do nothing.</summary>
    /// <exception cref="DllNotFoundException">libsqlite3 is not installed.</exception>
    public static void Load()
    {
        lock (Gate)
        {
            if (s_loaded)
                return;
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
            s_loaded = true;
        }
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" ? NativeLibrary.Load("libsqlite3.so.0", assembly, path) : IntPtr.Zero;
}
