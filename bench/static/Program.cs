// Serves the files of a folder as they are: the floor for downloads. Usage: bench-static PORT FOLDER
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenLocalhost(int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture)));
var app = builder.Build();
app.Run(async http =>
{
    var file = new FileInfo(Path.Combine(args[1], Path.GetFileName(http.Request.Path.Value!)));
    http.Response.ContentLength = file.Length;
    await http.Response.SendFileAsync(file.FullName, http.RequestAborted);
});
await app.RunAsync();
