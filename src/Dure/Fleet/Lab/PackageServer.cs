using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dure.Host;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.FileProviders;

namespace Dure.Fleet.Lab;

/// <summary>Serves the packages of all images, read-only, on the bridge of one lab. It runs as a process of its own inside the lab's network.</summary>
internal static class PackageServer
{
    public const int Port = 80;

    /// <summary>Its control group. No machine's name begins so.</summary>
    public const string Member = "_server";

    /// <summary>What machines of a release have in their <c>sources.list</c>.</summary>
    public static string SourceLine(LabRecord record) => $"deb [trusted=yes] http://{record.ServerAddress}/{record.Os}/packages ./\n";

    /// <summary>Serves until it is ended.</summary>
    public static async Task RunAsync(string folder, IPAddress address, CancellationToken cancel)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = folder });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        await using var app = builder.Build();
        using var files = new PhysicalFileProvider(folder);
        // Only what a repository is made of: the images beside it are nobody's business.
        app.Use(next => context => context.Request.Path.Value?.Split('/') is ["", _, "packages", _] ? next(context) : Refuse(context));
        app.UseStaticFiles(new StaticFileOptions { FileProvider = files, ServeUnknownFileTypes = true, DefaultContentType = "application/octet-stream" });
        await app.StartAsync(cancel);
        await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await app.StopAsync(CancellationToken.None);
    }

    /// <summary>Starts it in the lab's network and waits until it answers.</summary>
    public static async Task<Outcome<ProcessMark>> StartAsync(LabPlaces places, LabFolder folder, LabRecord record, CancellationToken cancel)
    {
        var began = Detached.Start(
            new LabCgroup(record.Cgroup).Make(Member),
            folder["server.log"],
            ["nsenter", "--net=/run/netns/" + record.Namespace, "setsid", Detached.Dure, "lab", "serve-packages", places.Cache, record.ServerAddress.ToString()]);
        var from = TimeProvider.System.GetTimestamp();
        while (began.IsAlive && TimeProvider.System.GetElapsedTime(from).TotalSeconds < 30)
        {
            if (await Reachable.AcceptsAsync(record.ServerAddress, Port, cancel))
                return began;
            await Task.Delay(20, cancel);
        }
        return LabErrors.StepFailed.With($"The package server (process {began.Pid.ToString(CultureInfo.InvariantCulture)}) does not answer on {record.ServerAddress}; see {folder["server.log"]}.");
    }

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
