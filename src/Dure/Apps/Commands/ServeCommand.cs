using System.CommandLine;
using System.Globalization;
using System.Net;
using Dure.Host;
using Dure.Host.Commands;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;

namespace Dure.Apps.Commands;

/// <summary><c>dure apps serve</c>: what serves a published folder of files. HOST, PORT and BASE_PATH say where.</summary>
internal static class ServeCommand
{
    private static readonly Argument<string> Folder = new("folder") { Description = "Holds index.html." };

    public static Verb Make()
    {
        var verb = new Verb("serve", "Serve a folder of files at $HOST:$PORT below $BASE_PATH; published folders are served so.",
            ("PORT=8000 dure apps serve site", "look at a folder as it would be published"))
        .With(Folder)
        .Runs(async (call, cancel) =>
        {
            var root = Path.GetFullPath(call.Get(Folder)!);
            if (!Directory.Exists(root))
                return AppErrors.SourceMissing.With($"{root} is no folder.");
            if (!int.TryParse(Environment.GetEnvironmentVariable("PORT"), CultureInfo.InvariantCulture, out var port) || !IPAddress.TryParse(Environment.GetEnvironmentVariable("HOST") ?? "127.0.0.1", out var host))
                return CommandErrors.Usage.With("PORT must be a number, and HOST an address.");
            await using var app = Build(root, host, port, (Environment.GetEnvironmentVariable("BASE_PATH") ?? "").TrimEnd('/'));
            await app.RunAsync(cancel);
            return ExitCodes.Ok;
        });
        verb.Hidden = true;
        return verb;
    }

    private static WebApplication Build(string root, IPAddress host, int port, string basePath)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = root });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(host, port);
        });
        var app = builder.Build();
        // Hidden files are nobody's business.
        var files = new PhysicalFileProvider(root, ExclusionFilters.Sensitive);
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".parquet"] = types.Mappings[".arrow"] = "application/octet-stream";
        types.Mappings[".mjs"] = "text/javascript";
        app.UseMiddleware<DefaultFilesMiddleware>(Microsoft.Extensions.Options.Options.Create(new DefaultFilesOptions { FileProvider = files, RequestPath = basePath }));
        app.UseMiddleware<StaticFileMiddleware>(Microsoft.Extensions.Options.Options.Create(new StaticFileOptions { FileProvider = files, RequestPath = basePath, ContentTypeProvider = types, ServeUnknownFileTypes = true }));
        return app;
    }
}
