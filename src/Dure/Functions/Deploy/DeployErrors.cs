using Dure.Host;

namespace Dure.Functions.Deploy;

/// <summary>Every expected failure of packing, checking and building a function: DURE0101 to DURE0199.</summary>
public static class DeployErrors
{
    public static readonly ErrorKind PackageUnreadable = new(
        "DURE0101", "The package cannot be read", 400, ExitCodes.Usage,
        "Send a .tar.gz, .tar or .zip file of the function's folder, complete and undamaged, or let `dure fn deploy PATH` pack the folder.");

    public static readonly ErrorKind PackageRefused = new(
        "DURE0102", "The package holds entries that are refused", 422, ExitCodes.Usage,
        "Remove or rename the entries listed, or name them in .dureignore, and deploy again. Nothing was kept.");

    public static readonly ErrorKind PackageTooLarge = new(
        "DURE0103", "The package is larger than this server accepts", 413, ExitCodes.Limit,
        "Leave data out of the package (.dureignore) and read it at run time, or raise functions.upload_limit.");

    public static readonly ErrorKind YamlInvalid = new(
        "DURE0104", "function.yaml has mistakes", 422, ExitCodes.Usage,
        "Correct the lines listed; examples/function.yaml shows every key with its unit and range.");

    public static readonly ErrorKind NothingRecognised = new(
        "DURE0105", "No runtime recognises this folder", 422, ExitCodes.Usage,
        "Give the file one of the names listed, or set `runtime:` and `handler:` in function.yaml.");

    public static readonly ErrorKind RuntimeAmbiguous = new(
        "DURE0106", "More than one runtime recognises this folder", 422, ExitCodes.Usage,
        "Choose one with `runtime:` and `handler:` in function.yaml, or remove the file that is not meant.");

    public static readonly ErrorKind HandlerMissing = new(
        "DURE0107", "The handler is not there", 422, ExitCodes.Usage,
        "Define the function under the name given, or set `handler:` in function.yaml to the one that exists.");

    public static readonly ErrorKind SyntaxError = new(
        "DURE0108", "The code has a syntax error", 422, ExitCodes.Usage,
        "Correct the line named and deploy again. The version that was live stays live.");

    public static readonly ErrorKind CompileFailed = new(
        "DURE0109", "The code does not compile", 422, ExitCodes.Usage,
        "Correct what the compiler names and deploy again. The version that was live stays live.");

    public static readonly ErrorKind InstallFailed = new(
        "DURE0110", "The dependencies cannot be installed", 422, ExitCodes.Failed,
        "Read the installer's lines: a name or version that does not exist, or a registry that cannot be reached from the build sandbox (functions.build_network).");

    public static readonly ErrorKind ToolMissing = new(
        "DURE0111", "This machine lacks a program that the build needs", 503, ExitCodes.Missing,
        "Install it with the command given, then deploy again; the server needs no restart.");

    public static readonly ErrorKind NameInvalid = new(
        "DURE0112", "The function's name is not valid", 422, ExitCodes.Usage,
        "Use 1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter or a digit; give one with --name.");

    public static readonly ErrorKind SourceMissing = new(
        "DURE0113", "There is nothing to deploy at this path", 400, ExitCodes.Usage,
        "Give the path of a file, a folder or a .zip that exists and that you may read.");

    public static readonly ErrorKind BuildLimit = new(
        "DURE0114", "The build was ended by a limit", 422, ExitCodes.Limit,
        "Make the build smaller, or raise functions.build_memory or functions.build_timeout.");

    public static readonly ErrorKind DiskFull = new(
        "DURE0115", "There is not enough free disk space to deploy", 507, ExitCodes.Limit,
        "Free space on the server's data disk and deploy again. Nothing was kept.");
}
