using Dure.Host.Configuration;
using static Dure.Host.Configuration.SettingKinds;

namespace Dure.Fleet.Roles.Server;

/// <summary>What can be set about how Dure's server stands on a machine. How it works is set in its own sections of the file.</summary>
internal static class ServerSettings
{
    public static readonly Setting<string> Build = Folder("dure.build", "self", "Folder of the program that is put on machines; self is the one that runs this command.");

    public static readonly Setting<IReadOnlyList<string>> Packages = Words("dure.packages", "nodejs,python3-pip", "Packages that functions want beside those that Dure needs, such as npm, golang-go, g++.",
        word => word.Length > 0 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '+' or '-' or '.'), "names of packages with commas");
}
