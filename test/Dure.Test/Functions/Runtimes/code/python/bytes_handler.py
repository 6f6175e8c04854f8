raw = True


def handler(event, context):
    return event[::-1]
