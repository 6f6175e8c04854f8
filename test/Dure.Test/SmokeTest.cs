namespace Dure.Test;

public sealed class SmokeTest
{
    [Xunit.Fact]
    public void The_executable_is_called_dure() =>
        Xunit.Assert.Equal("dure", System.Reflection.Assembly.Load("dure").GetName().Name);
}
