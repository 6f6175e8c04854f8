using Amazon.S3;
using Amazon.S3.Model;
using Dure.Host;

namespace Dure.Storage.Providers;

/// <summary>The rules of a bucket about pages of the web.</summary>
internal static class S3Cors
{
    /// <summary>The rules; none when none were ever set.</summary>
    public static Task<Outcome<IReadOnlyList<BucketCors>>> GetAsync(S3Connection s3, CancellationToken cancel) =>
        s3.CallAsync<IReadOnlyList<BucketCors>>("read the CORS rules", async silence =>
        {
            try
            {
                var answer = await s3.Client.GetCORSConfigurationAsync(new GetCORSConfigurationRequest { BucketName = s3.Bucket }, silence.Token);
                return [.. (answer.Configuration?.Rules ?? []).Select(rule => new BucketCors(
                    rule.AllowedOrigins ?? [], rule.AllowedMethods ?? [], rule.AllowedHeaders ?? [], rule.ExposeHeaders ?? [], rule.MaxAgeSeconds))];
            }
            catch (AmazonS3Exception none) when (none.ErrorCode is "NoSuchCORSConfiguration")
            {
                return [];
            }
        }, cancel);

    /// <summary>Replaces the rules.</summary>
    public static Task<Outcome<bool>> SetAsync(S3Connection s3, IReadOnlyList<BucketCors> rules, CancellationToken cancel) =>
        s3.CallAsync("set the CORS rules", async silence =>
        {
            await s3.Client.PutCORSConfigurationAsync(
                new PutCORSConfigurationRequest
                {
                    BucketName = s3.Bucket,
                    Configuration = new CORSConfiguration
                    {
                        Rules = [.. rules.Select(rule => new CORSRule
                        {
                            AllowedOrigins = [.. rule.Origins],
                            AllowedMethods = [.. rule.Methods],
                            AllowedHeaders = [.. rule.AllowedHeaders],
                            ExposeHeaders = [.. rule.ExposeHeaders],
                            MaxAgeSeconds = rule.MaxAgeSeconds,
                        })],
                    },
                },
                silence.Token);
            return true;
        }, cancel);
}
