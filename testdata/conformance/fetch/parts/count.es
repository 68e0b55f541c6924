application.runs = (application.runs || 0) + 1;
